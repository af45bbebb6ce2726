"""What must hold of the API's answers, against what stands in the tables and the dead-letter queue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from showing.check import Check, equal

from demo.api import Answer
from demo.outcome import Outcome


def check(outcome: Outcome, settled: set[str]) -> list[Check]:
    """`settled`: the work that was processed or dead-lettered when nothing moved any more."""
    answers = outcome.answers
    refused = [answer for answer in answers if answer.call.why]
    by_strangers = [answer for answer in answers if not answer.call.caller]
    failures = [answer for answer in answers if answer.status >= 500 and answer.call.expected != (answer.status,)]
    return [
        _accepted(outcome, settled),
        equal("calls answered as they should be", sum(map(_as_it_should_be, answers)), len(answers)),
        Check("2xx without a good token", not _ok(by_strangers), _ok(by_strangers), f"0 of {len(by_strangers)}"),
        Check("5xx, the injected one aside", not failures, len(failures), f"0 of {len(answers):,}"),
        equal("refusals that say why, as problem+json", sum(map(_is_problem, refused)), len(refused)),
        *_payments(outcome),
        equal("orders shown as they stand in the table", _shown_right(outcome), _looks(outcome)),
    ]


def _accepted(outcome: Outcome, settled: set[str]) -> Check:
    """By content: an order that was accepted twice is one piece of work."""
    accepted = {answer.call.message.work for answer in answers_202(outcome.answers) if answer.call.message}
    through_the_api = settled - {message.work for message in outcome.traffic.past_the_api}
    return Check(
        "accepted by the API (202), distinct = processed + dead-lettered",
        accepted == through_the_api and bool(accepted),
        len(through_the_api),
        len(accepted),
    )


def _payments(outcome: Outcome) -> list[Check]:
    """A key is a caller's own: what the desks call alike are two."""
    rows = outcome.final.payments
    keys = _paid(outcome.answers)
    answers = [answer for by_key in keys.values() for answer in by_key]
    told = {answer.said("payment_id") for answer in answers}
    paid_orders = [row for row in outcome.final.orders.values() if row["status"] == "PAID"]
    first = sum(not answer.is_replay for answer in answers)
    return [
        Check(
            "one payment for each key",
            {str(row["payment_id"]) for row in rows} == told and len(rows) == len(keys) and bool(rows),
            len(rows),
            len(keys),
        ),
        equal("payment keys that were told two things", sum(_differ(told) for told in keys.values()), 0),
        # Whose first answer was lost on the way was told by a replay alone.
        equal("first answers + lost ones = payments", first + _lost(outcome.answers), len(rows)),
        equal(
            "money taken = total of the orders that are paid",
            float(sum(row["amount"] for row in rows)),  # of decimals: nothing is lost in adding up
            float(sum(row["total"] for row in paid_orders)),
        ),
    ]


def answers_202(answers: Iterable[Answer]) -> list[Answer]:
    """Of orders."""
    return [answer for answer in answers if answer.status == 202 and answer.call.route == "POST /orders"]


def _paid(answers: Iterable[Answer]) -> Mapping[tuple[str, str], Sequence[Answer]]:
    """Payments that were taken, by who asked and under which key."""
    by_key: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.call.route == "POST /payments" and answer.ok:
            by_key[answer.call.caller, answer.call.key].append(answer)
    return by_key


def _differ(answers: Sequence[Answer]) -> bool:
    return len({(answer.status, answer.body) for answer in answers}) > 1


def _lost(answers: Iterable[Answer]) -> int:
    return sum(answer.status == 500 for answer in answers if answer.call.expected == (500,))


def _as_it_should_be(answer: Answer) -> bool:
    return answer.status in answer.call.expected


def _ok(answers: Iterable[Answer]) -> int:
    return sum(answer.ok for answer in answers)


def _is_problem(answer: Answer) -> bool:
    typed = answer.headers.get("content-type", "").partition(";")[0] == "application/problem+json"
    return typed and bool(answer.said("title"))


def _looks(outcome: Outcome) -> int:
    return sum(map(_is_look, outcome.answers))


def _shown_right(outcome: Outcome) -> int:
    """Nothing is paid after the looks, so what they saw is what still stands there."""
    rows = outcome.final.orders
    return sum(_is_row(answer, rows.get(answer.said("order_id"), {})) for answer in outcome.answers if _is_look(answer))


def _is_look(answer: Answer) -> bool:
    return answer.call.route == "GET /orders/{order_id}" and answer.ok


def _is_row(answer: Answer, row: Mapping[str, object]) -> bool:
    shown = answer.json
    ours = answer.said("correlation_id") is not None
    return isinstance(shown, dict) and not ours and all(row.get(name) == value for name, value in shown.items())
