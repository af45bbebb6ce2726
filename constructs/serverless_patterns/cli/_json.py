"""What a machine reads. Names here are a promise: additions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serverless_patterns.cli._survey import by_reason

if TYPE_CHECKING:
    from serverless_patterns.cli._letters import Letter
    from serverless_patterns.cli._outcome import Outcome
    from serverless_patterns.cli._route import Route
    from serverless_patterns.cli._survey import Survey

__all__ = ["described", "peeked", "redriven"]


def peeked(survey: Survey, route: Route, *, with_bodies: bool) -> dict[str, Any]:
    return {
        **described(survey, route),
        "letters": [_letter(letter, survey.started, with_body=with_bodies) for letter in survey.letters],
    }


def described(survey: Survey, route: Route) -> dict[str, Any]:
    return {
        "dead_letter_queue": route.dead_letters.url,
        "queue": route.queue.url if route.queue else None,
        "messages": len(survey.letters),
        "hidden": survey.hidden,
        "reasons": [
            {
                "reason": group.reason,
                "error_type": group.error_type,
                "messages": len(group.letters),
                "oldest_age_seconds": round(survey.started - group.oldest.sent_at, 3),
                "first_message_id": group.oldest.message_id,
            }
            for group in by_reason(survey.letters)
        ],
    }


def redriven(outcome: Outcome) -> dict[str, Any]:
    return {
        "complete": outcome.complete,
        "selected": outcome.selected,
        "moved": outcome.moved,
        "left": outcome.left,
        "in_both_queues": outcome.undeleted,
        "came_back": outcome.came_back,
        "arrived": sorted(outcome.arrived),
        "missing": outcome.missing,
        "behind_others_of_their_group": outcome.unseen,
        "stopped": outcome.stopped,
    }


def _letter(letter: Letter, now: float, *, with_body: bool) -> dict[str, Any]:
    result = {
        "message_id": letter.message_id,
        "reason": letter.reason,
        "error_type": letter.error_type,
        "age_seconds": round(now - letter.sent_at, 3),
        "idempotency_key": letter.idempotency_key,
        "correlation_id": letter.correlation_id,
        "group_id": letter.group_id,
    }
    return result | ({"body": letter.body} if with_body else {})
