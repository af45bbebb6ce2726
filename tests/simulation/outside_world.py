"""A saga that charges a card at a provider outside, in virtual time; and is resumed once the key may be forgotten."""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime import Invocation, PermanentError, StepInput, Unsettled
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.reports import Reports
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.edge import Edge

from .asl import Answered, Ended, Execution, Machine, TaskFailure
from .dynamodb_model import Table
from .faults import Faults
from .lambda_model import Sandbox
from .network import Client
from .outside_definition import BREAKER, LIFETIME_SECONDS, Shape, from_state, outside_definition
from .outside_provider import NoAnswer, Pending, Provider
from .saga_definition import NAMESPACE, Plan
from .saga_world import LONGEST_SECONDS, NAME, SagaWorld
from .world import CLAIMS, START, Log

__all__ = ["REFERENCE", "OutsideWorld", "Story", "WithProvider", "plans_of"]

BREAKERS = "breakers"
REFERENCE = contract.action_key(NAMESPACE, NAME, "ChargeCard")

Defines = Callable[[Shape], Mapping[str, Any]]


@dataclass(frozen=True)
class Story:
    shape: Shape = field(default_factory=Shape)
    outage: tuple[float, float] = (0.0, 0.0)
    """Begin and length, in seconds from the start."""
    mishaps: int = 0
    """Of the provider."""
    kinds: tuple[str, ...] = ("acts, then fails", "settles later")
    strikes: tuple[str, ...] = ("charge", "refund")
    """Requests that meet them."""
    declines: bool = False
    ship: str = "ok"
    sends_after: float = 0.1
    """Seconds for which the function works before it sends."""
    slower: float = 0.0
    """Seconds that it takes longer when it is resumed."""
    declines_after: int | None = None
    """Requests for a charge after which the provider says no."""
    resumed_after: float | None = None
    """Seconds from the first use of the key that gave out, to the second try of what was parked."""
    gone: str | None = None
    """A function that a deployment removes while the saga is under way."""
    told_late: bool = False
    """Whether somebody's function acts and does not answer."""

    @property
    def is_gentle(self) -> bool:
        """Whether the card can be charged, and is in the end."""
        bearable = self.outage[1] == 0 or (self.shape.breaker and self.outage[1] <= 600)
        declines = self.declines or self.declines_after is not None
        return bearable and not declines and self.ship == "ok" and self.gone is None and not self.told_late


def plans_of(story: Story) -> list[Plan]:
    """What the functions do that have nothing to do with the provider."""
    return [
        *([Plan(name="Tell", effects=False)] if story.shape.foreign else []),
        Plan(name="ReserveStock", pivot=story.shape.forward),
        Plan(name="ChargeCard", effects=False),
        Plan(name="Ship", effects=False, does=story.ship),
    ]


class WithProvider(SagaWorld):
    """The card's functions call a provider."""

    story: Story

    def place_provider(self, services: Any) -> None:
        """Beside the account, once that is made."""
        story = self.story
        self.dynamodb.tables[BREAKERS] = Table({"breaker": "S"})
        begin, length = story.outage
        self.provider = Provider(
            self.schedule,
            self.chance,
            LIFETIME_SECONDS,
            [(START + begin, START + begin + length)],
            story.mishaps,
            story.kinds,
            story.strikes,
            0 if story.declines else story.declines_after,
        )
        self.told = Counter[str]()
        self.resumed = False
        if story.shape.foreign:
            services["action Tell"] = self._tell_others
        if story.gone is not None:
            services[story.gone] = _gone

    # What is deployed.

    def _edge(self, sandbox: Sandbox, plan: Plan, kind: str) -> Edge:
        edge = super()._edge(sandbox, plan, kind)
        if plan.name == "Tell":
            return edge._replace(business_function=BusinessFunction(self._recall, "legacy:recall", False, False))
        if plan.name != "ChargeCard":
            return edge
        write = self._charge if kind == "action" else self._refund
        function = BusinessFunction(write(sandbox), f"card:{kind}", True, False)
        breakers = {BREAKER: self._breaker(sandbox)} if self.story.shape.breaker else {}
        return edge._replace(business_function=function, breakers=breakers)

    def _breaker(self, sandbox: Sandbox) -> CircuitBreaker:
        settings: BreakerSettings = {
            "table": BREAKERS,
            "failure_threshold": self.story.shape.threshold,
            "window_seconds": 60,
            "open_seconds": 30,
            "cache_seconds": 5,
            "counts": ["Unreachable"],
        }
        log = Log(lambda text, fields: self._see_call("breaker", text, fields))
        return CircuitBreaker(
            settings,
            Store(Client(self.network, sandbox, "dynamodb", impatient=True), BREAKERS, BREAKER),
            Reports(BREAKER, BREAKERS, log, lambda *_: None),
            sandbox.clock,
            random.Random(self.chance.getrandbits(64)),
        )

    # What a user would have written.

    def _charge(self, sandbox: Sandbox) -> Callable[[StepInput, Invocation], Any]:
        def charge(step: StepInput, _: Invocation) -> Any:
            sandbox.check_alive()
            sandbox.sleep(self.story.sends_after + (self.story.slower if self.resumed else 0))
            try:
                if step.key_expired:
                    charges, _refunds = self.provider.find(sandbox, step.action_key)
                    if charges:
                        return "found"
                    raise PermanentError("it was not charged, and nobody may send it again")
                return self.provider.charge(sandbox, step.external_key, step.action_key)
            except (NoAnswer, Pending):
                raise Unsettled(30) from None

        return charge

    def _refund(self, sandbox: Sandbox) -> Callable[[StepInput, Invocation], Any]:
        def refund(step: StepInput, _: Invocation) -> None:
            sandbox.check_alive()
            try:
                charges, refunds = self.provider.find(sandbox, step.action_key)
                if charges == refunds:
                    return
                sandbox.sleep(self.story.sends_after)
                self.provider.refund(sandbox, step.external_key, step.action_key)
            except (NoAnswer, Pending):
                raise Unsettled(30) from None

        return refund

    # Somebody's function, which lays no claim.

    def _tell_others(self, event: Any, answered: Answered) -> None:
        assert event["action_key"] == contract.action_key(NAMESPACE, NAME, "Tell"), event
        self.told[event["idempotency_key"]] = 1
        lost = TaskFailure("Lambda.Unknown")
        self.schedule.after(0.1, lambda: answered(lost if self.story.told_late else {"told": True}))

    def _recall(self, step: StepInput) -> None:
        self.told[step.action_key] = 0


class OutsideWorld(WithProvider):
    def __init__(
        self, story: Story, seed: int | str, faults: Faults | None = None, defines: Defines = outside_definition
    ) -> None:
        self.story = story
        self.definition = defines(story.shape)
        super().__init__(plans_of(story), seed, faults, defines=lambda _: self.definition)
        self.place_provider(self.execution.services)

    def run(self) -> Ended:
        """Until the saga has ended; and once more when it is resumed."""
        ended = super().run()
        after = self.story.resumed_after
        found = None if after is None else self._parked_at()
        if found is None:
            return ended
        state, claim = found
        assert after is not None
        begun = float(self.claims().get((claim,), {}).get("begun_at", {"N": START})["N"])
        self.schedule.after(max(begun + after - self.schedule.now, 0), lambda: self._resume(state))
        self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        assert self.execution.ended is not None, "the execution has not ended"
        return self.execution.ended

    def _parked_at(self) -> tuple[str, str] | None:
        """The state of the card's step that was parked, and the key of its claim."""
        if (contract.parked_key(NAMESPACE, NAME, "ChargeCard"),) not in self.claims():
            return None
        if self.story.shape.forward:
            return "ChargeCard", REFERENCE
        return "Undo ChargeCard", contract.compensation_key(NAMESPACE, NAME, "ChargeCard")

    def _resume(self, state: str) -> None:
        """As a person does: what was parked once more, with the document that was kept."""
        key = (contract.parked_key(NAMESPACE, NAME, "ChargeCard"),)
        document = json.loads(self.dynamodb.tables[CLAIMS].items.pop(key)["state"]["S"])
        first, self.resumed = self.execution, True
        machine = Machine(from_state(self.definition, state))
        self.execution = Execution(machine, NAME, document, first.services, self.schedule, self.chance, self._see_call)
        self.execution.start()


def _gone(_: Any, answered: Answered) -> None:
    answered(TaskFailure("Lambda.ResourceNotFoundException"))
