"""A saga with a provider outside that dies, and is recovered; and that is resumed when the provider has forgotten."""

from typing import Any

from serverless_patterns_runtime.saga_recovery.contract import SETTLED_AT
from serverless_patterns_runtime.saga_state_machine import contract

from .faults import Faults
from .outside_definition import outside_definition, outside_recovery
from .outside_world import REFERENCE, Story, WithProvider, plans_of
from .recovery_world import Death, RecoveryWorld
from .saga_definition import NAMESPACE
from .saga_invariants import end_of
from .saga_world import NAME

__all__ = ["OutsideRecovery", "check_outside_recovery", "unsettled"]


class OutsideRecovery(WithProvider, RecoveryWorld):
    def __init__(
        self, story: Story, seed: int | str, faults: Faults | None = None, *, death: Death | None = None
    ) -> None:
        self.story = story
        resumes = 0 if story.resumed_after is None else 1
        super().__init__(
            plans_of(story),
            seed,
            faults,
            death=death,
            resumes=resumes,
            mended=False,
            recovers=lambda _: outside_recovery(story.shape),
            defines=lambda _: outside_definition(story.shape),
        )
        self.place_provider(self.machines.services)

    def _resume(self) -> None:
        def now() -> None:
            self.resumed = True
            super(OutsideRecovery, self)._resume()

        self.schedule.after(self.story.resumed_after or 0.0, now)


def unsettled(world: OutsideRecovery) -> set[str]:
    """What is parked and waits for somebody still."""
    items = {plan.name: world.claims().get((contract.parked_key(NAMESPACE, NAME, plan.name),)) for plan in world.plans}
    return {name for name, item in items.items() if item is not None and SETTLED_AT not in item}


def check_outside_recovery(world: OutsideRecovery) -> None:
    charges, refunds = world.provider.charges[REFERENCE], world.provider.refunds[REFERENCE]
    assert charges <= 1, f"charged {charges} times"
    assert refunds <= charges, f"refunded {refunds} of {charges} times"
    end, waiting = end_of(world), unsettled(world)
    done: Any = end in (contract.SUCCEEDED, contract.FORWARD_PARKED)
    if "ChargeCard" not in waiting:
        assert charges - refunds == (1 if done else 0), f"{end}, and {charges - refunds} charges stand"
    if "ReserveStock" not in waiting:
        assert world.books.net["ReserveStock"] == (1 if done else 0), f"{end}, and the stock is {world.books.net}"
    for key, stands in world.told.items():
        assert stands == (1 if done else 0) or "Tell" in waiting, f"{end}, and {key} was told {stands} times"
