"""Whatever ends a redrive, at any point: no message is lost, and the next run brings the rest."""

import base64
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns.cli._clock import Clock
from serverless_patterns.cli._outcome import Outcome
from serverless_patterns.cli._redrive import Redrive
from serverless_patterns.cli._selection import Selection
from serverless_patterns.cli._survey import survey
from tests.runtime.two_queues import Killed, TwoQueues, original, redrive_of, throttled

ALL = Selection()
REASONS = ["out of stock", "no lines", None]
A_DAY = 86_400


def run(
    sqs: TwoQueues, selection: Selection = ALL, interrupted: Callable[[], bool] = lambda: False, **options: Any
) -> Outcome:
    route = sqs.route()
    found = survey(sqs.client, route, clock=sqs.clock(), interrupted=interrupted)
    options = {"rate": 1000, "clock": sqs.clock(), "interrupted": interrupted} | options
    return Redrive(sqs.client, route, found, selection, **options).run()


def fill(sqs: TwoQueues, count: int = 23) -> list[str]:
    for number in range(count):
        group = {"MessageGroupId": f"g{number % 3}"} if sqs.dead.fifo else {}
        sqs.put_dead(str(number), REASONS[number % 3], idempotency_key=f"k{number}", system=group)
    return [str(number) for number in range(count)]


def watch(sqs: TwoQueues, bodies: list[str]) -> Callable[[int, str, str], None]:
    """Fails at the call after which a message is in neither queue."""

    def check(number: int, name: str, when: str) -> None:
        lost = set(bodies) - {*sqs.bodies(sqs.dead), *sqs.bodies(sqs.queue)}
        assert not lost, f"{lost} lost {when} call {number}, {name}"

    return check


def calls_of_a_quiet_run(fifo: bool) -> int:
    sqs = TwoQueues(fifo=fifo)
    fill(sqs)
    run(sqs)
    return len(sqs.calls)


def ends(error: Callable[[str], BaseException], at: int, when_: str) -> Callable[[int, str, str], None]:
    def end(number: int, name: str, when: str) -> None:
        if (number, when) == (at, when_):
            raise error(name)

    return end


def together(*hooks: Callable[[int, str, str], None]) -> Callable[[int, str, str], None]:
    def all_of_them(number: int, name: str, when: str) -> None:
        for hook in hooks:
            hook(number, name, when)

    return all_of_them


def dead_from(at: int, when_: str) -> Callable[[int, str, str], None]:
    """From there on every call fails, so that not even a `finally` can tidy up."""

    def end(number: int, name: str, when: str) -> None:  # noqa: ARG001
        if (number, when == "after") >= (at, when_ == "after"):
            raise Killed

    return end


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fifo", [False, True])
def test_a_run_killed_at_any_call_loses_nothing_and_the_next_one_finishes(fifo: bool, when: str) -> None:
    last = calls_of_a_quiet_run(fifo)
    assert last > 8
    for at in range(1, last + 1):
        sqs = TwoQueues(fifo=fifo)
        bodies = fill(sqs)
        sqs.on_call = together(watch(sqs, bodies), dead_from(at, when))
        with pytest.raises(Killed):
            run(sqs)

        sqs.sleep(200)  # longer than a killed run hides what it held, shorter than SQS remembers deduplication ids
        sqs.on_call = watch(sqs, bodies)
        assert run(sqs).complete
        assert sqs.dead.messages == []
        counts = Counter(sqs.bodies(sqs.queue))
        assert set(counts) == set(bodies)
        if fifo:
            assert set(counts.values()) == {1}
            for group in range(3):
                here = [m.body for m in sqs.queue.messages if m.group == f"g{group}"]
                assert here == sorted(here, key=int)
        keys = {
            body: {redrive_of(m)["idempotency_key"] for m in sqs.queue.messages if m.body == body} for body in bodies
        }
        assert all(len(each) == 1 for each in keys.values()), "a duplicate that the consumer could not know"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fifo", [False, True])
def test_an_error_at_any_call_leaves_nothing_hidden_that_could_be_given_back(fifo: bool, when: str) -> None:
    for at in range(1, calls_of_a_quiet_run(fifo) + 1):
        sqs = TwoQueues(fifo=fifo)
        bodies = fill(sqs)
        sqs.on_call = together(watch(sqs, bodies), ends(throttled, at, when))
        released = True
        try:
            run(sqs)
        except ClientError:
            # What a lost answer to a receive held is not known to the run: SQS gives it back.
            released = sqs.calls[at - 1] != "receive_message" or when == "before"
        released = released and sqs.calls[at - 1] != "change_message_visibility_batch"
        assert not released or sqs.hidden(sqs.dead) == []

        sqs.sleep(200)
        sqs.on_call = watch(sqs, bodies)
        assert run(sqs).complete
        assert set(sqs.bodies(sqs.queue)) == set(bodies)
        assert sqs.dead.messages == []


@pytest.mark.parametrize("fifo", [False, True])
def test_an_interruption_at_any_call_ends_in_order_with_nothing_hidden_and_nothing_sent_twice(fifo: bool) -> None:
    for at in range(1, calls_of_a_quiet_run(fifo) + 1):
        sqs = TwoQueues(fifo=fifo)
        bodies = fill(sqs)
        sqs.on_call = watch(sqs, bodies)
        run(sqs, interrupted=lambda at=at, sqs=sqs: len(sqs.calls) >= at)
        assert sqs.hidden(sqs.dead) == []
        assert Counter(sqs.bodies(sqs.dead) + sqs.bodies(sqs.queue)) == Counter(bodies)
        run(sqs)
        assert Counter(sqs.bodies(sqs.queue)) == Counter(bodies)


ATTRIBUTE = st.one_of(
    st.text("abc é", min_size=1, max_size=20).map(lambda value: {"DataType": "String", "StringValue": value}),
    st.integers().map(lambda value: {"DataType": "Number.int", "StringValue": str(value)}),
    st.binary(min_size=1, max_size=20).map(lambda value: {"DataType": "Binary", "BinaryValue": value}),
)
NAMES = st.sampled_from([*"abcdefghijklm", "correlation-id"])
LETTER = st.fixed_dictionaries(
    {
        "reason": st.sampled_from(["out of stock", "no lines", "expired", None]),
        "error_type": st.sampled_from(["PermanentError", "MalformedPayload"]),
        "attributes": st.dictionaries(NAMES, ATTRIBUTE, max_size=10),
        "group": st.sampled_from(["g1", "g2", "g3"]),
    }
)
SELECTION = st.builds(
    Selection,
    reason=st.sampled_from([None, "o", "STOCK", "more than", "nothing"]),
    error_type=st.sampled_from([None, None, "PermanentError"]),
)


@settings(max_examples=150)
@given(
    letters=st.lists(LETTER, max_size=40),
    selection=SELECTION,
    fifo=st.booleans(),
    limit=st.one_of(st.none(), st.integers(1, 40)),
    rate=st.sampled_from([0.5, 3, 10, 1000]),
    end=st.tuples(st.integers(1, 60), st.sampled_from(["before", "after"])),
    seed=st.integers(0, 1000),
)
def test_any_mixture_and_selection_conserves_messages_and_their_content(
    letters: list[dict[str, Any]],
    selection: Selection,
    fifo: bool,
    limit: int | None,
    rate: float,
    end: tuple[int, str],
    seed: int,
) -> None:
    sqs = TwoQueues(fifo=fifo, seed=seed)
    attributes: dict[str, dict[str, Any]] = {}
    for number, letter in enumerate(letters):
        body = str(number)
        attributes[body] = letter["attributes"]
        system = {"MessageGroupId": letter["group"]} if fifo else {}
        kept = dict(sorted(letter["attributes"].items())[: 10 if letter["reason"] is None else 9])
        displaced = {name: in_json(value) for name, value in letter["attributes"].items() if name not in kept}
        more = {"displaced": displaced} if displaced else {}
        sqs.put_dead(body, letter["reason"], letter["error_type"], attributes=kept, system=system, **more)
    bodies = list(attributes)

    sqs.on_call = together(watch(sqs, bodies), dead_from(*end))
    try:
        run(sqs, selection, limit=limit, rate=rate)
    except Killed:
        sqs.sleep(A_DAY)
    sqs.on_call = watch(sqs, bodies)
    route = sqs.route()
    wanted = {letter.message_id for letter in survey(sqs.client, route, clock=sqs.clock()).selected(selection)}
    outcome = run(sqs, selection, rate=rate)

    assert sqs.hidden(sqs.dead) == []
    assert not wanted & {message.id for message in sqs.dead.messages}
    assert outcome.left == outcome.undeleted == outcome.came_back == {}
    assert all(original(message) == attributes[message.body] for message in sqs.queue.messages)
    assert all(len(message.attributes) <= 10 for message in sqs.queue.messages)
    assert all("dead-letter" not in message.attributes for message in sqs.queue.messages)


def in_json(attribute: dict[str, Any]) -> dict[str, Any]:
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64encode(attribute["BinaryValue"]).decode()}
    return attribute


def test_what_sqs_may_have_given_to_somebody_else_after_a_suspension_is_not_sent() -> None:
    sqs = TwoQueues()
    bodies = fill(sqs, 20)
    elsewhere: list[str] = []

    def suspend(seconds: float) -> None:
        sqs.sleep(seconds)
        if not elsewhere:
            sqs.sleep(7_200)  # the machine sleeps; another run takes what has become visible
            answer = sqs.receive_message(
                QueueUrl=sqs.dead.url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                VisibilityTimeout=43_200,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            elsewhere.extend(message["Body"] for message in answer["Messages"])

    outcome = run(sqs, rate=5, clock=Clock(now=lambda: sqs.now, sleep=suspend))
    assert len(elsewhere) == 10
    assert Counter(sqs.bodies(sqs.queue)) == Counter(set(bodies) - set(elsewhere))
    assert outcome.missing == 10
