"""Safeguards of an API whose absence shows in one story rather than in any schedule."""

from collections.abc import Callable
from typing import Any

import pytest

from serverless_patterns_runtime.api_proxy import keeping, once
from serverless_patterns_runtime.claims import commits, lease
from serverless_patterns_runtime.claims import once as claims_once
from serverless_patterns_runtime.claims.claim import AnswerNotKept

from . import test_api_stories as stories
from .api_removals import taking_if

Patch = pytest.MonkeyPatch
Story = Callable[[], None]


def any_body_after_a_death(patch: Patch) -> None:
    taking_if(patch, "attribute_not_exists(#claim) OR #free_at < :now")


def keys_until_time_to_live(patch: Patch) -> None:
    original = commits.Commits.claim_item

    def by_existence(self: Any, *arguments: Any) -> dict[str, Any]:
        put = dict(original(self, *arguments)["Put"])
        put |= {"ConditionExpression": "attribute_not_exists(#claim)", "ExpressionAttributeNames": {"#claim": "claim"}}
        del put["ExpressionAttributeValues"]
        return {"Put": put}

    patch.setattr(commits.Commits, "claim_item", by_existence)


def leases_until_time_to_live(patch: Patch) -> None:
    taking_if(patch, "attribute_not_exists(#claim)")


def our_own_lease_is_a_stranger_s(patch: Patch) -> None:
    original = lease._found

    def found(error: Any) -> Any:
        holder = original(error)
        return holder and holder._replace(owner="stranger")

    patch.setattr(lease, "_found", found)


def no_margin_for_clocks(patch: Patch) -> None:
    patch.setattr(claims_once, "CLOCK_SKEW_SECONDS", 0)


def orphans_without_a_deadline(patch: Patch) -> None:
    taking_if(
        patch,
        "attribute_not_exists(#claim) OR attribute_not_exists(#free_at)"
        " OR (#free_at < :now AND (#payload = :payload OR #expires_at < :now))",
    )


def answers_made_up(patch: Patch) -> None:
    original = once.Execution._replay

    def replay(self: Any, found: Any) -> Any:
        try:
            return original(self, found)
        except AnswerNotKept:
            return once.Executed(once.Answer.of(None), replayed=True)

    patch.setattr(once.Execution, "_replay", replay)


def no_limit_on_answers(patch: Patch) -> None:
    patch.setattr(keeping, "MAX_STORED_BYTES", 10**9)


CASES: dict[str, tuple[Callable[[Patch], None], Story]] = {
    "the body at a take-over": (
        any_body_after_a_death,
        stories.test_who_comes_with_another_body_after_a_death_is_refused_until_the_claim_expires,
    ),
    "a key's own expiry, effects": (
        keys_until_time_to_live,
        lambda: stories.test_a_key_lives_by_its_own_numbers_whatever_time_to_live_has_deleted("effects", False),
    ),
    "a key's own expiry, leases": (
        leases_until_time_to_live,
        lambda: stories.test_a_key_lives_by_its_own_numbers_whatever_time_to_live_has_deleted("leases", False),
    ),
    "knowing our own lease, whose answer was lost": (
        our_own_lease_is_a_stranger_s,
        lambda: stories.test_an_answer_that_dynamodb_lost_and_the_sdk_asked_for_again_costs_nobody_time(
            "leases", "UpdateItem"
        ),
    ),
    "a lease that outlives its holder on every clock": (
        no_margin_for_clocks,
        stories.test_a_lease_outlives_its_holder_on_every_clock,
    ),
    "a claim without a deadline is nobody's to take": (
        orphans_without_a_deadline,
        lambda: stories.test_a_claim_without_a_deadline_is_never_stolen("leases"),
    ),
    "no answer is made up": (
        answers_made_up,
        lambda: stories.test_a_claim_of_an_older_version_without_an_answer_is_not_done_again_and_none_is_made_up(
            "leases"
        ),
    ),
    "a limit on answers that are kept": (
        no_limit_on_answers,
        lambda: stories.test_an_answer_that_cannot_be_kept_has_at_most_one_effect("effects"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_without_it_the_story_fails(name: str, monkeypatch: Patch) -> None:
    take_out, story = CASES[name]
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        story()
