"""What the control function does every minute: what was left is finished, and what nobody has asked for is begun.

Any number at once: names of executions say what they are for, so that whoever comes second has begun nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

from serverless_patterns_runtime.cqrs_views.contract import SWEPT
from serverless_patterns_runtime.cqrs_views.controlling import Control, parts
from serverless_patterns_runtime.cqrs_views.retrying import Retries
from serverless_patterns_runtime.cqrs_views.standing import Standing

__all__ = ["Sweep"]

AGAIN_SECONDS = 900
"""After a first rebuild that has failed, until the next."""

_HOUR = 3600


class Sweep(NamedTuple):
    control: Control
    retries: Retries
    documents: Callable[[], int]
    """Has documents built whose message was lost; how many there were."""

    def sweep(self) -> dict[str, int]:
        """What it has begun. One that fails keeps none of the others from it: the first error is raised at the end."""
        failed: Exception | None = None
        counted = {"rebuilds": 0, "drops": 0, "retries": 0, "documents": 0}
        works: list[tuple[str, Callable[[], int]]] = [
            *(("rebuilds", lambda view=view: self._first(view)) for view in self.control.views),
            *(("drops", lambda view=view: self._drops(view)) for view in self.control.views),
            ("documents", self.documents),
            ("retries", self.retries.sweep),
        ]
        for name, work in works:
            try:
                counted[name] += work()
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return counted

    def _first(self, view: str) -> int:
        """A view that nobody can read yet is filled without being asked for; who died while filling one is buried."""
        standing = self.control.standings.read(view)
        if standing.building is not None and self.control.has_died(view, standing):
            self.control.bury(view, standing)
            return 0
        if (
            self.control.is_readable(view, standing)
            or standing.building is not None
            or not self._is_time(view, standing)
        ):
            return 0
        return int(self.control.rebuild({"request": "rebuild", "view": view, "by": SWEPT})["began"])

    def _is_time(self, view: str, standing: Standing) -> bool:
        if not self.control.is_of_its_store(view, standing):
            return True  # what became of the last rebuild says nothing of this one
        if standing.phase == "cancelled":
            return False  # somebody did not want it
        return standing.ended_at + AGAIN_SECONDS <= self.control.clock()

    def _drops(self, view: str) -> int:
        standing = self.control.standings.read(view)
        now = int(self.control.clock())
        dropping = standing.dropping.items()
        # Of one that was live in another store (0) people may still read rows by themselves: until there are others.
        due = [generation for generation, at in dropping if at <= now and (at or standing.live is not None)]
        begun = 0
        for generation in due:
            asked = {"task": "drop", "view": view, "generation": generation}
            given = {**asked, **parts(standing.segments.get(generation, 1))}
            # Hourly another name: one that has failed is begun again.
            name = f"{view}-{generation}-drop-{now // _HOUR}"
            begun += self.control.executions(view).start(name, given)
        return begun
