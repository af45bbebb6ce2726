"""A shop whose views are rebuilt: the shipped functions behind the definition that is deployed, in virtual time."""

import json
import random
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from serverless_patterns._cqrs_table.rebuild_definition import rebuild_definition
from serverless_patterns_runtime.cqrs_views import control_handler, projector_handler, rebuild_handler
from serverless_patterns_runtime.cqrs_views.control_handler import Controls
from serverless_patterns_runtime.cqrs_views.controlling import Control
from serverless_patterns_runtime.cqrs_views.executions import Executions
from serverless_patterns_runtime.cqrs_views.parked_objects import ParkedObjects
from serverless_patterns_runtime.cqrs_views.progress import ProgressItems
from serverless_patterns_runtime.cqrs_views.rebuilding import Rebuild
from serverless_patterns_runtime.cqrs_views.retrying import Retries
from serverless_patterns_runtime.cqrs_views.scanning import Scan
from serverless_patterns_runtime.cqrs_views.standing import Standing
from serverless_patterns_runtime.cqrs_views.standings import Standings
from serverless_patterns_runtime.cqrs_views.sweeping import Sweep
from serverless_patterns_runtime.cqrs_views.total_holding import store_of_view

from ...simulation.asl import TaskFailure
from ...simulation.state_machines_model import StateMachines, arn_of
from ...simulation.virtual_time import Schedule
from .modelled import Modelled
from .shop import ORDERS, REVENUE, AtOnce, Shop

__all__ = ["MACHINE", "PROJECTOR", "RebuiltShop"]

MACHINE = "Rebuilding"
PROJECTOR = "arn:aws:lambda:eu-central-1:123456789012:function:projector"
TASK_SECONDS = 900.0


class Died(BaseException):
    """The function's process is gone."""


class RebuiltShop(Shop):
    def __init__(self, seed: int = 0, *, live: int | None = None, page_items: int = 2) -> None:
        self.chance = random.Random(seed)
        super().__init__(live=None)
        for view in (ORDERS, REVENUE):
            self.service.tables["control"].items.pop((f"view/{view}",), None)
        self.schedule = Schedule(self.chance, self.now)
        self.page_items = page_items
        self.task_seconds = TASK_SECONDS
        definition = rebuild_definition("rebuild", PROJECTOR)
        services = {"rebuild": self._task(self._rebuild), PROJECTOR: self._task(self._retry)}
        self.machines = StateMachines({MACHINE: definition}, services, self.schedule, self.chance, lambda *_: None)
        self.tasks: list[Mapping[str, Any]] = []
        self.stepfunctions = Modelled("stepfunctions", self.machines)
        self.after_task: Callable[[], None] = lambda: None
        if live is not None:
            self.sweep()
            self.passes(4_000)

    @property
    def now(self) -> float:
        """A task that sleeps holds up the events behind it: the clock never goes back."""
        if "schedule" in vars(self):
            self._now = max(self._now, self.schedule.now)
        return self._now

    @now.setter
    def now(self, now: float) -> None:
        self._now = now

    # The functions.

    def rebuild(self) -> Rebuild:
        """As another environment has it."""
        projector = self.projection.projector

        def sleep(seconds: float) -> None:
            self.left -= seconds
            self.slept(seconds)

        return Rebuild(
            views=projector.views,
            standings=Standings(self.client, "control"),
            progress=ProgressItems(self.client, "control"),
            scan_of=Scan(projector.write_model, lambda: self.now, self.page_items),
            park=lambda view, change, error: projector.parking.park(view, change, error.reason, str(error)),
            mark=lambda views: self.marked.append(set(views)),
            clock=lambda: self.now,
            sleep=sleep,
            ahead=AtOnce(),
            together=AtOnce(),
            random=self.chance,
            patience=60,
        )

    def slept(self, seconds: float) -> None:
        """Meanwhile changes are projected."""
        self.now += seconds
        self.project()

    def _rebuild(self, event: Any) -> Any:
        self.tasks.append(event)
        self.left = self.task_seconds
        return rebuild_handler.process(event, self.context(), self.rebuild(), self.log)

    def _retry(self, event: Any) -> Any:
        return projector_handler.process(event, self.context(), self.projection)

    def _task(self, handle: Callable[[Any], Any]) -> Any:
        def service(parameters: Any, answered: Callable[[Any], None]) -> None:
            try:
                answer: Any = json.loads(json.dumps(handle(json.loads(json.dumps(parameters)))))
            except AssertionError:
                raise  # of the test's own checks
            except (Exception, Died) as error:
                cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
                answer = TaskFailure(type(error).__name__, cause)
            self.after_task()
            answered(answer)

        return service

    def controls(self) -> Controls:
        executions = lambda _: Executions(self.stepfunctions, arn_of(MACHINE))  # noqa: E731
        described = SimpleNamespace(describe_table=lambda **_: {"Table": {"ItemCount": self.items}})
        standings, progress = Standings(self.client, "control"), ProgressItems(self.client, "control")
        kinds: Any = {ORDERS: "rows", REVENUE: "totals"}
        control = Control(kinds, described, "orders", standings, progress, executions, lambda: self.now, self.stores)
        told: Any = [{"machine": arn_of(MACHINE), "projector": PROJECTOR, "views": [ORDERS, REVENUE]}]
        objects = ParkedObjects(self.projection.projector.parking)
        retries = Retries(objects, told, self.stepfunctions, lambda: self.now)
        return Controls(control, retries, Sweep(control, retries, lambda: 0), self.log)

    @property
    def stores(self) -> Mapping[str, str]:
        return {name: store_of_view(view) for name, view in self.projection.projector.views.items()}

    items = 0
    """As DynamoDB has counted them."""

    def ask(self, **asked: Any) -> Any:
        event = json.loads(json.dumps(asked))
        return json.loads(json.dumps(control_handler.process(event, self.context(), self.controls())))

    def sweep(self) -> Any:
        return self.ask(request="sweep")

    def passes(self, seconds: float) -> None:
        """Executions go on meanwhile, and nothing else."""
        until = self.now + seconds
        self.schedule.run(until)
        self.schedule.now = max(self.schedule.now, until)

    # What there is.

    def standing(self, view: str = ORDERS) -> Standing:
        return Standings(Modelled("dynamodb", self.service), "control").read(view)

    def read(self, view: str = ORDERS) -> Any:
        """As a reader does: the pointer, then what that generation has. None: there is no view yet."""
        live = self.standing(view).live
        if live is None:
            return None
        return self.rows(live) if view == ORDERS else self.totals(live)
