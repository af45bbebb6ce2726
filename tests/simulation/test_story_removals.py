"""Safeguards whose absence shows in one story rather than in any schedule: each story has been seen to fail."""

from collections.abc import Callable
from typing import Any

import pytest

from serverless_patterns_runtime.claims import commits, leases
from serverless_patterns_runtime.load_leveled_queue import consumption, message, visibility, work

from . import test_stories as stories
from .executor_model import SimulatedExecutor

Patch = pytest.MonkeyPatch
Story = Callable[[], None]


def claims_until_time_to_live(patch: Patch) -> None:
    """The claim counts for as long as it is there."""
    original = commits.Commits.claim_item

    def by_existence(self: Any, *arguments: Any) -> dict[str, Any]:
        put = dict(original(self, *arguments)["Put"])
        put |= {"ConditionExpression": "attribute_not_exists(#claim)", "ExpressionAttributeNames": {"#claim": "claim"}}
        del put["ExpressionAttributeValues"]
        return {"Put": put}

    patch.setattr(commits.Commits, "claim_item", by_existence)


def leases_until_time_to_live(patch: Patch) -> None:
    def never(self: Any, claim: Any, *_: Any) -> Any:
        return self._change({"done": True}, claim, '"owner" = ?', ["nobody"])

    patch.setattr(leases.Leases, "_take_over", never)
    patch.setattr(leases.Leases, "_replace", never)


def no_jitter(patch: Patch) -> None:
    def ceiling(self: Any, attempts: int) -> int:
        return int(min(self.base_seconds << (attempts - 1), self.max_seconds))

    patch.setattr(visibility.Backoff, "after_failure", ceiling)


def no_ceiling(patch: Patch) -> None:
    patch.setattr(visibility.Backoff, "after_failure", lambda self, attempts: self.base_seconds << (attempts - 1))


def groups_as_one(patch: Patch) -> None:
    patch.setattr(message.Message, "group", property(lambda _: "all"))


def no_maximum_age(patch: Patch) -> None:
    patch.setattr(consumption, "Expired", lambda _: None)


def no_settling(patch: Patch) -> None:
    patch.setattr(leases.Leases, "settle", lambda *_: {})


def receives_as_attempts_for_the_delay(patch: Patch) -> None:
    """What stood behind poison in its batch has been received often, and pays for it at its own first failure."""
    original = visibility.Backoff.after_failure
    patch.setattr(visibility.Backoff, "after_failure", lambda self, _: original(self, 12))


def no_margin_for_clocks(patch: Patch) -> None:
    patch.setattr(work, "CLOCK_SKEW_SECONDS", 0)


def breaking_off_without_waiting(patch: Patch) -> None:
    patch.setattr(SimulatedExecutor, "shutdown", lambda *_, **__: None)


CASES: dict[str, tuple[Callable[[Patch], None], Story]] = {
    "a claim's own expiry, effects": (
        claims_until_time_to_live,
        lambda: stories.test_a_claim_lives_by_its_own_numbers_whatever_time_to_live_has_deleted("effects", False),
    ),
    "a claim's own expiry, leases": (
        leases_until_time_to_live,
        lambda: stories.test_a_claim_lives_by_its_own_numbers_whatever_time_to_live_has_deleted("leases", False),
    ),
    "jitter": (no_jitter, stories.test_retries_are_spread_and_none_comes_early),
    "a ceiling on the delay": (no_ceiling, stories.test_the_delay_of_a_retry_has_a_ceiling),
    "groups stop one by one": (
        groups_as_one,
        lambda: stories.test_poison_in_one_group_does_not_delay_another("effects, FIFO batches"),
    ),
    "the maximum age": (
        no_maximum_age,
        lambda: stories.test_stale_work_is_a_dead_letter_that_says_expired("effects"),
    ),
    "settling leases": (no_settling, stories.test_a_duplicate_that_meets_a_running_lease_waits_for_it_with_one_receive),
    "delays by attempts, not by receives": (
        receives_as_attempts_for_the_delay,
        lambda: stories.test_poison_delays_its_neighbours_by_no_more_than_its_own_retries("effects, FIFO batches"),
    ),
    "a lease that outlives its holder on every clock": (
        no_margin_for_clocks,
        stories.test_a_lease_outlives_its_holder_on_every_clock,
    ),
    "waiting for commits when an invocation breaks off": (
        breaking_off_without_waiting,
        stories.test_no_commit_outlives_an_invocation_that_breaks_off,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_without_it_the_story_fails(name: str, monkeypatch: Patch) -> None:
    take_out, story = CASES[name]
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        story()
