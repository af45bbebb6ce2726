"""The move from its first request to its last: three routes, each with its own fate, and a crowd that notices none."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

from legacy.process import LegacySite

from demo.move import bad_version
from demo.move.crowd import Crowd
from demo.move.outcome import Move
from demo.move.routes import Routes
from demo.move.site import Site
from demo.move.tales import Failing, Flipping, Growing
from serverless_patterns.testing import Cloud, wait_until

DEADLINE_SECONDS = 60
STEPS = (10, 50, 100)
FLIPS = 10


@dataclass
class Moving:
    cloud: Cloud
    site: Site
    old_site: LegacySite
    tell: Callable[[str], None]
    visitors: int = 32
    at_once: int = 4
    visits: int = 6
    """Of a route, that have to be seen between two changes of it."""

    def play(self) -> Move:
        """What takes over a minute is given up, and the checks tell."""
        self.site.open(self.old_site.session_key)
        routes = Routes(self.cloud, self.site.control)
        deploy = functools.partial(bad_version.deploy, self.cloud.client("lambda"), self.site.catalogue_function)
        began = time.time()
        crowd = Crowd(self.site.url, self.visitors, self.at_once)
        growing = Growing(routes, crowd, self.tell, STEPS, 2 * self.visits)
        flipping = Flipping(routes, crowd, self.tell, FLIPS, self.visits)
        failing = Failing(routes, crowd, self.tell, deploy, self.visits)
        failing.begin()
        with crowd:
            self._wait(lambda: _go_on(growing, flipping, failing), "the routes to have moved")
        visits = crowd.visits
        self.tell(f"{len(visits):,} requests in {time.time() - began:.1f} s, while the routes moved")
        return Move(
            visits=visits,
            asked=crowd.asked,
            settings=routes.settings,
            seen_by_old_site=self.old_site.seen(),
            lines=[*self.old_site.effects(), *self.site.basket_lines()],
            standing=routes.standing(),
            flips=flipping.done,
            steps=STEPS,
            bad_version_at=failing.deployed_at,
        )

    def _wait(self, done: Callable[[], bool], what_for: str) -> None:
        try:
            wait_until(done, DEADLINE_SECONDS, what_for, interval_seconds=0.1)
        except TimeoutError as error:
            self.tell(f"gave up: {error}")


def _go_on(*tales: Growing | Flipping | Failing) -> bool:
    """Each a step further; whether all are over."""
    return not [tale for tale in tales if not tale.go_on()]
