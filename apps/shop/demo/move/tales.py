"""What is done to each of the three routes while visitors browse. `go_on` is called again and again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demo.move.crowd import Crowd
from demo.move.routes import Routes, Setting
from demo.move.visit import BASKET, CATALOGUE, PROFILE

SEEN_WITHIN = 5.5
"""Seconds in which every router has looked at the table again, and has its answer."""

SECONDS_BETWEEN_LOOKS = 0.5

Tell = Callable[[str], None]


@dataclass
class Growing:
    """The profile moves in steps, by the command, each for as long as it takes to see it."""

    routes: Routes
    crowd: Crowd
    tell: Tell
    steps: Sequence[float]
    visits: int
    """That have to be seen at each step, once it holds everywhere."""
    done: int = 0
    _since: float = field(default_factory=time.time)

    def go_on(self) -> bool:
        """Whether it is over."""
        if len(self.crowd.since(self._since, PROFILE)) < self.visits:
            return False
        if self.done == len(self.steps):
            return True
        self.routes.set(PROFILE, self.steps[self.done])
        self.tell(f"{PROFILE}: {self.steps[self.done]:g} percent of the visitors go to the new function")
        self._since = self.routes.settings[-1].done + SEEN_WITHIN
        self.done += 1
        return False


@dataclass
class Flipping:
    """The basket goes there and back again under load, and is killed in the end."""

    routes: Routes
    crowd: Crowd
    tell: Tell
    flips: int
    visits: int
    """Between two flips."""
    seconds: float = 1
    """Likewise, at least: so that routers notice some of them, each at its own time."""
    done: int = 0
    killed_at: float | None = None
    _since: float = field(default_factory=time.time)

    def go_on(self) -> bool:
        if self.killed_at is not None:
            return len(self.crowd.since(self.killed_at + SEEN_WITHIN, BASKET)) >= self.visits
        too_soon = time.time() < self._since + self.seconds
        if too_soon or len(self.crowd.since(self._since, BASKET)) < self.visits:
            return False
        if self.done < self.flips:
            self.routes.flip(BASKET, 0 if self.done % 2 else 100)
            self.done += 1
        else:
            self.routes.kill(BASKET)
            self.killed_at = self.routes.settings[-1].done
            self.tell(f"{BASKET}: killed, after {self.done} flips under load")
        self._since = time.time()
        return False


@dataclass
class Failing:
    """The catalogue's new function does well with half of the visitors, until a bad version of it is deployed."""

    routes: Routes
    crowd: Crowd
    tell: Tell
    deploy_bad_version: Callable[[], None]
    visits: int
    """That have to be seen before, and after."""
    deployed_at: float | None = None
    rolled_back_at: float | None = None
    _looked_at: float = 0

    def begin(self) -> None:
        """Before anybody comes: so that visitors are placed before they log in."""
        self.routes.flip(CATALOGUE, 50)

    def go_on(self) -> bool:
        if self.deployed_at is None:
            visits = self.crowd.since(0, CATALOGUE)
            logged_in = {visit.visitor for visit in visits if visit.logins}
            came_back = logged_in & {visit.visitor for visit in visits if not visit.logins}
            if min(len(came_back), sum(visit.side == "new" for visit in visits)) >= self.visits:
                self.deploy_bad_version()
                self.deployed_at = time.time()
                self.tell(f"{CATALOGUE}: a bad version of the new function is deployed")
        elif self.rolled_back_at is None:
            if time.time() < self._looked_at + SECONDS_BETWEEN_LOOKS:
                return False
            standing = self.routes.standing()[CATALOGUE]
            self._looked_at = time.time()
            if standing["killed"]:
                self.rolled_back_at = time.time()
                self.tell(f"{CATALOGUE}: rolled back by itself, {standing['reason']}")
                told = Setting(CATALOGUE, 0, self.rolled_back_at, self.rolled_back_at, standing["by"], killed=True)
                self.routes.note(told)
        else:
            return len(self.crowd.since(self.rolled_back_at + SEEN_WITHIN, CATALOGUE)) >= self.visits
        return False
