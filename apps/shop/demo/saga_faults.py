"""The troubles of an evening's checkouts, injected before anybody starts, and counted."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demo.provider.process import PaymentProvider
from demo.shoppers import Shopper
from demo.troubles import HELD_UP_SECONDS, SDK_ATTEMPTS, AtProvider, OnTheWire, Trouble
from serverless_patterns.testing import EmbeddedCloud, Fault, Injection

_COMMIT = ("dynamodb", "TransactWriteItems")


@dataclass(frozen=True)
class Struck:
    """One thing that was to be broken for one checkout, and how often it was."""

    trouble: Trouble
    checkout_id: str
    fired: int
    least: int
    """Less would not be what was meant."""


@dataclass
class SagaFaults:
    cloud: EmbeddedCloud
    provider: PaymentProvider
    functions: Mapping[str, str]
    """Names of the functions behind the steps' actions, by step."""
    _shoppers: Sequence[Shopper] = ()
    _on_the_wire: dict[Fault, tuple[Shopper, OnTheWire]] = field(default_factory=dict[Fault, tuple[Shopper, OnTheWire]])
    _injection: Injection | None = None
    _killed: dict[str, int] = field(default_factory=dict[str, int])
    """Processes, by checkout."""

    def install(self, shoppers: Iterable[Shopper]) -> None:
        """From now on these checkouts meet their troubles, and no others do."""
        self._shoppers = [shopper for shopper in shoppers if shopper.trouble.breaks]
        for shopper in self._shoppers:
            for broken in shopper.trouble.breaks:
                if isinstance(broken, OnTheWire):
                    self._on_the_wire[_fault(broken, shopper)] = shopper, broken
                else:
                    self._inject(broken, shopper)
        self._injection = self.cloud.faults.install(*self._on_the_wire)

    def kill_what_is_held_up(self) -> None:
        """SIGKILL every process of a function that is at work for a checkout which waits for that."""
        for shopper in self._to_kill():
            if shopper.checkout_id not in self._killed and self._is_held_up(shopper):
                self._killed[shopper.checkout_id] = self.cloud.kill_function(self.functions[shopper.trouble.step])

    def mend(self) -> None:
        """Everything works again."""
        if self._injection:
            self._injection.clear()
        for shopper in self._shoppers:
            self.provider.mend(shopper.checkout_id)

    def report(self) -> Sequence[Struck]:
        """One for each thing that was to be broken."""
        killed = [
            Struck(one.trouble, one.checkout_id, self._killed.get(one.checkout_id, 0), 1) for one in self._to_kill()
        ]
        on_the_wire = [
            Struck(shopper.trouble, shopper.checkout_id, self._fired(fault), broken.times or SDK_ATTEMPTS)
            for fault, (shopper, broken) in self._on_the_wire.items()
        ]
        return [*self._struck_at_provider(), *on_the_wire, *killed]

    def _to_kill(self) -> list[Shopper]:
        return [shopper for shopper in self._shoppers if shopper.trouble.kills]

    def _is_held_up(self, shopper: Shopper) -> bool:
        faults = [fault for fault, (whose, _) in self._on_the_wire.items() if whose is shopper]
        at_provider = [each for each in self._struck_at_provider() if each.checkout_id == shopper.checkout_id]
        return any(map(self._fired, faults)) or any(each.fired for each in at_provider)

    def _fired(self, fault: Fault) -> int:
        return self._injection.fired(fault) if self._injection else 0

    def _inject(self, broken: AtProvider, shopper: Shopper) -> None:
        self.provider.inject(
            broken.operation, broken.kind, shopper.checkout_id, times=broken.times, seconds=broken.seconds
        )

    def _struck_at_provider(self) -> list[Struck]:
        trouble = {shopper.checkout_id: shopper.trouble for shopper in self._shoppers}
        return [
            Struck(trouble[fault.matching], fault.matching, fault.fired, fault.times or 1)
            for fault in self.provider.faults()
        ]


def _fault(broken: OnTheWire, shopper: Shopper) -> Fault:
    ending = f"#{broken.step}{'#compensation' if broken.undo else ''}"
    of_step = f"length(TransactItems[?ends_with(Put.Item.claim.S || '', `{json.dumps(ending)}`)]) > `0`"
    row = f"Put.Item.checkout_id.S || Update.Key.checkout_id.S || '' == '{shopper.checkout_id}'"
    body = f"{of_step} && length(TransactItems[?({row.replace(' == ', ') == ')}]) > `0`"
    match broken.kind:
        case "lost":
            return Fault.lost_answer(*_COMMIT, times=broken.times, body=body)
        case "refused":
            return Fault.refused(*_COMMIT, times=broken.times, body=body)
        case "held up":
            return Fault.slow(*_COMMIT, seconds=HELD_UP_SECONDS, times=broken.times, body=body)
