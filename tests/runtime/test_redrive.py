"""What a redrive sends, what it leaves, and where it stops."""

import json
from typing import Any

import pytest

from serverless_patterns.cli._outcome import Outcome
from serverless_patterns.cli._redrive import Redrive
from serverless_patterns.cli._selection import Selection
from serverless_patterns.cli._survey import survey
from tests.runtime.two_queues import TwoQueues, original, redrive_of, throttled


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def redrive(sqs: TwoQueues, selection: Selection = Selection(), **options: Any) -> Outcome:  # noqa: B008  frozen
    options.setdefault("rate", 100)
    route = options.pop("route", None) or sqs.route()
    found = survey(sqs.client, route, clock=sqs.clock())
    return Redrive(sqs.client, route, found, selection, clock=sqs.clock(), **options).run()


def test_body_attributes_group_and_trace_header_return_unchanged_without_dead_letter_attribute() -> None:
    sqs = TwoQueues()
    attributes = {"channel": text("web"), "picture": {"DataType": "Binary.png", "BinaryValue": b"\x89\x00\xff"}}
    system = {"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793", "MessageGroupId": "tenant-7"}
    sqs.put_dead('{"order": "Händel"}', "out of stock", idempotency_key="o-1", attributes=attributes, system=system)

    assert redrive(sqs).complete

    [message] = sqs.queue.messages
    assert message.body == '{"order": "Händel"}'
    assert original(message) == attributes
    assert message.system == system
    assert redrive_of(message) == {"idempotency_key": "o-1", "correlation_id": 'c-{"order": "Händel"}'}


def test_a_message_that_sqs_moved_itself_keeps_its_message_id_as_key() -> None:
    sqs = TwoQueues()
    dead = sqs.put_dead("a", None, attributes={"correlation-id": text("c-9")})
    redrive(sqs)
    assert redrive_of(sqs.queue.messages[0]) == {"idempotency_key": dead.id, "correlation_id": "c-9"}


def test_a_message_that_sqs_moves_again_after_a_redrive_keeps_its_first_key() -> None:
    sqs = TwoQueues()
    first = sqs.put_dead("a", None)
    redrive(sqs)
    again = sqs.queue.messages.pop()
    sqs.put(sqs.dead, again.body, again.attributes, DeadLetterQueueSourceArn=sqs.queue.arn)
    redrive(sqs)
    assert redrive_of(sqs.queue.messages[0]) == {"idempotency_key": first.id, "correlation_id": first.id}


def test_ten_attributes_return_with_one_inside_the_redrive_attribute() -> None:
    sqs = TwoQueues()
    attributes: dict[str, Any] = {f"a{number}": text(str(number)) for number in range(9)}
    attributes["z"] = {"DataType": "Binary", "BinaryValue": b"\x00\xfe"}
    kept = {name: attributes[name] for name in list(attributes)[:8]}
    displaced = {"a8": text("8"), "z": {"DataType": "Binary", "BinaryValue": "AP4="}}
    sqs.put_dead("a", "no", displaced=displaced, attributes=kept)
    redrive(sqs)
    [message] = sqs.queue.messages
    assert len(message.attributes) == 10
    assert original(message) == attributes


FORGED = [
    "by hand",
    "[]",
    "[" * 100_000,
    '{"reason": 1, "error_type": "E", "correlation_id": "c"}',
    '{"reason": "r", "error_type": "E", "correlation_id": "c", "idempotency_key": 7}',
    '{"reason": "r", "error_type": "E", "correlation_id": "c", "displaced": {"a": "b"}}',
    '{"reason": "r", "error_type": "E", "correlation_id": "c", "displaced": {"aws.a": {"DataType": "String"}}}',
]


@pytest.mark.parametrize("forged", FORGED, ids=range(len(FORGED)))
def test_what_only_bears_the_name_of_our_attributes_is_as_if_it_were_not_there(forged: str) -> None:
    sqs = TwoQueues()
    attributes = {"redrive": text(forged), "dead-letter": text(forged), "a": text("b")}
    dead = sqs.put_dead("a", None, attributes=attributes)
    assert survey(sqs.client, sqs.route(), clock=sqs.clock()).letters[0].reason == "received more than 5 times"
    assert redrive(sqs).complete
    [message] = sqs.queue.messages
    assert original(message) == {"a": text("b")}
    assert redrive_of(message) == {"idempotency_key": dead.id, "correlation_id": dead.id}


def test_fifo_keeps_group_and_order_and_gives_each_stay_its_own_deduplication_id() -> None:
    sqs = TwoQueues(fifo=True)
    dead = [sqs.put_dead(str(n), "no", system={"MessageGroupId": f"g{n % 2}"}) for n in range(25)]
    assert redrive(sqs).complete
    for group in ("g0", "g1"):
        bodies = [message.body for message in sqs.queue.messages if message.group == group]
        assert bodies == [message.body for message in dead if message.group == group]
    assert set(sqs.queue.deduplicated) == {f"redrive-{message.id}" for message in dead}


def test_only_the_selected_messages_move_and_the_others_are_visible_again() -> None:
    sqs = TwoQueues()
    for number in range(30):
        sqs.put_dead(str(number), "Out of stock" if number % 3 else None, "PermanentError")
    outcome = redrive(sqs, Selection(reason="OUT OF"))
    assert outcome.complete
    assert sorted(map(int, sqs.bodies(sqs.queue))) == [n for n in range(30) if n % 3]
    assert sorted(map(int, sqs.bodies(sqs.dead))) == list(range(0, 30, 3))
    assert sqs.hidden(sqs.dead) == []


@pytest.mark.parametrize(
    ("selection", "moved"),
    [
        (Selection(error_type="A"), ["1", "2"]),
        (Selection(error_type="a"), []),
        (Selection(error_type="A", reason="late"), ["2"]),
        (Selection(reason="more than 5 times"), ["4"]),
        (Selection(message_ids=("00000003",)), ["3"]),
        (Selection(message_ids=("00000003", "00000001")), ["1", "3"]),
    ],
)
def test_every_condition_of_a_selection_must_hold(selection: Selection, moved: list[str]) -> None:
    sqs = TwoQueues()
    for body, reason, error_type in (("1", "early", "A"), ("2", "too late", "A"), ("3", "too late", "B")):
        sqs.put_dead(body, reason, error_type)
    sqs.put_dead("4", None)
    redrive(sqs, selection)
    assert sorted(sqs.bodies(sqs.queue)) == moved


def test_a_limit_is_never_exceeded_and_reaching_it_is_a_complete_run() -> None:
    sqs = TwoQueues()
    for number in range(40):
        sqs.put_dead(str(number), "no")
    outcome = redrive(sqs, limit=13)
    assert (len(sqs.queue.messages), len(sqs.dead.messages), outcome.complete) == (13, 27, True)
    assert sqs.hidden(sqs.dead) == []


@pytest.mark.parametrize(("rate", "seconds"), [(10, 9), (4, 24), (0.5, 198)])
def test_no_more_than_the_rate_is_sent(rate: float, seconds: float) -> None:
    sqs = TwoQueues()
    for number in range(100):
        sqs.put_dead(str(number), "no")
    redrive(sqs, rate=rate)
    sent = sorted(message.sent_at for message in sqs.queue.messages)
    assert sent[-1] - sent[0] >= seconds - 0.1
    assert len(sent) == 100


def test_a_message_too_large_for_its_redrive_attribute_is_left_with_the_sizes() -> None:
    sqs = TwoQueues()
    large = sqs.put_dead("x" * 1_048_500, None)
    sqs.put_dead("small", None)
    outcome = redrive(sqs)
    assert outcome.left == {
        large.id: "with its `redrive` attribute it has 1,048,630 bytes, and the queue takes 1,048,576"
    }
    assert not outcome.complete
    assert sqs.bodies(sqs.queue) == ["small"]


def test_large_messages_are_sent_in_requests_that_sqs_takes() -> None:
    sqs = TwoQueues()
    for number in range(8):
        sqs.put_dead(str(number) * 400_000, "no")
    assert redrive(sqs).complete


def test_the_smaller_limit_of_a_queue_counts() -> None:
    sqs = TwoQueues()
    sqs.queue.extra["MaximumMessageSize"] = "2048"
    dead = sqs.put_dead("x" * 2_000, "no")
    assert list(redrive(sqs).left) == [dead.id]


def test_entries_that_sqs_fails_on_its_own_are_sent_again_and_then_left() -> None:
    sqs = TwoQueues()
    for body in ("flaky", "down", "refused", "fine"):
        sqs.put_dead(body, "no")
    tries: list[str] = []

    def refuse(name: str, entry: Any) -> dict[str, Any] | None:  # noqa: ARG001
        body = entry.get("MessageBody")
        tries.append(body)
        if body == "down" or (body == "flaky" and tries.count("flaky") < 3):
            return {"SenderFault": False, "Code": "InternalError", "Message": "try again"}
        return {"SenderFault": True, "Code": "Bad", "Message": "characters"} if body == "refused" else None

    sqs.refuse = refuse
    outcome = redrive(sqs)
    assert sorted(sqs.bodies(sqs.queue)) == ["fine", "flaky"]
    assert sorted(outcome.left.values()) == [
        "SQS refused it: Bad: characters",
        "SQS refused it: InternalError: try again",
    ]
    assert (tries.count("down"), tries.count("refused")) == (4, 1)
    assert sorted(sqs.bodies(sqs.dead)) == ["down", "refused"]


def test_on_fifo_nothing_overtakes_a_message_of_its_group_that_could_not_be_sent() -> None:
    sqs = TwoQueues(fifo=True)
    for number in range(12):
        sqs.put_dead(str(number), "no", system={"MessageGroupId": f"g{number % 2}"})
    refusal = {"SenderFault": True, "Code": "Bad", "Message": ""}
    sqs.refuse = lambda name, entry: refusal if entry.get("MessageBody") == "4" else None  # noqa: ARG005
    outcome = redrive(sqs)
    assert [b for b in sqs.bodies(sqs.queue) if int(b) % 2 == 0] == ["0", "2"]
    assert [b for b in sqs.bodies(sqs.queue) if int(b) % 2] == ["1", "3", "5", "7", "9", "11"]
    assert set(outcome.left.values()) == {
        "SQS refused it: Bad",
        "an earlier message of group g0 could not be moved",
    }


def test_a_deletion_that_fails_is_tried_again_and_never_sends_a_second_time() -> None:
    sqs = TwoQueues()
    sqs.put_dead("a", "no")
    failures = iter([True] * 4)
    fault = {"SenderFault": False, "Code": "InternalError", "Message": ""}
    sqs.refuse = lambda name, entry: fault if name.startswith("delete") and next(failures, False) else None  # noqa: ARG005
    outcome = redrive(sqs)
    assert (sqs.bodies(sqs.queue), outcome.undeleted) == (["a"], {outcome_id(outcome): "InternalError"})
    assert redrive(sqs).complete  # the next run sends it again, with the same key
    assert len({redrive_of(message)["idempotency_key"] for message in sqs.queue.messages}) == 1


def outcome_id(outcome: Outcome) -> str:
    [message_id] = outcome.undeleted
    return message_id


@pytest.mark.parametrize(("failed_tries", "left"), [(4, []), (8, ["a"])])
def test_a_message_delivered_again_while_its_deletion_fails_is_sent_once(failed_tries: int, left: list[str]) -> None:
    sqs = TwoQueues()
    dead = sqs.put_dead("a", "no")
    failures = iter([True] * failed_tries)
    fault = {"SenderFault": False, "Code": "InternalError", "Message": ""}
    sqs.refuse = lambda name, entry: fault if name.startswith("delete") and next(failures, False) else None  # noqa: ARG005

    def show_again(number: int, name: str, when: str) -> None:  # noqa: ARG001
        if name == "delete_message_batch":
            dead.visible_at = sqs.now

    sqs.on_call = show_again
    outcome = redrive(sqs)
    assert (sqs.bodies(sqs.queue), sqs.bodies(sqs.dead)) == (["a"], left)
    assert outcome.complete == (not left)


@pytest.mark.parametrize("fifo", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_a_message_that_comes_back_during_the_run_is_told_and_not_moved_again(fifo: bool, native: bool) -> None:
    sqs = TwoQueues(fifo=fifo)
    for number in range(60):
        sqs.put_dead(str(number), "no", idempotency_key=str(number), system={"MessageGroupId": "g"} if fifo else {})

    def fail_again(number: int, name: str, when: str) -> None:  # noqa: ARG001
        if name != "receive_message" or when != "before":
            return
        while sqs.queue.messages:
            message = sqs.queue.messages.pop(0)
            key = redrive_of(message)["idempotency_key"]
            if native:
                source = {"DeadLetterQueueSourceArn": sqs.queue.arn, **message.system}
                stored = sqs.put(sqs.dead, message.body, message.attributes, **source)
                stored.id, stored.sent_at = message.id, sqs.now if fifo else message.sent_at
            else:
                sqs.put_dead(message.body, "still no", idempotency_key=key, system=message.system)

    sqs.on_call = fail_again
    outcome = redrive(sqs)
    assert len(outcome.came_back) >= 10
    assert sorted(map(int, sqs.bodies(sqs.dead) + sqs.bodies(sqs.queue))) == list(range(60))
    assert len(outcome.moved) == len(set(outcome.moved)) <= 60
    assert not outcome.complete


def test_a_run_stops_when_most_of_what_it_moved_has_come_back() -> None:
    sqs = TwoQueues()
    for number in range(200):
        sqs.put_dead(str(number), "no", idempotency_key=str(number))

    def fail_again(number: int, name: str, when: str) -> None:  # noqa: ARG001
        while sqs.queue.messages:
            message = sqs.queue.messages.pop()
            sqs.put_dead(message.body, "still no", idempotency_key=message.body)

    sqs.on_call = fail_again
    outcome = redrive(sqs)
    assert outcome.stopped == f"{len(outcome.came_back)} of {len(outcome.moved)} moved messages are dead letters again"
    assert 10 <= len(outcome.moved) < 200
    assert len(sqs.dead.messages) == 200
    assert sqs.hidden(sqs.dead) == []


def test_a_few_that_come_back_do_not_stop_the_others() -> None:
    sqs = TwoQueues()
    for number in range(100):
        sqs.put_dead(str(number), "no", idempotency_key=str(number))

    def fail_some_again(number: int, name: str, when: str) -> None:  # noqa: ARG001
        for message in [m for m in sqs.queue.messages if int(m.body) % 30 == 0]:
            sqs.queue.messages.remove(message)
            sqs.put_dead(message.body, "still no", idempotency_key=message.body)

    sqs.on_call = fail_some_again
    outcome = redrive(sqs)
    assert (len(outcome.moved), sorted(map(int, sqs.bodies(sqs.dead)))) == (100, [0, 30, 60, 90])
    assert (set(outcome.came_back.values()), outcome.stopped, outcome.complete) == ({"still no"}, None, False)


def test_dead_letters_that_arrive_meanwhile_stay() -> None:
    sqs = TwoQueues()
    sqs.put_dead("old", "no", idempotency_key="old")

    def arrive(number: int, name: str, when: str) -> None:  # noqa: ARG001
        if name == "send_message_batch" and when == "after":
            sqs.put_dead("new", "no", idempotency_key="new")

    sqs.on_call = arrive
    outcome = redrive(sqs)
    assert (sqs.bodies(sqs.queue), sqs.bodies(sqs.dead), len(outcome.arrived)) == (["old"], ["new"], 1)
    assert outcome.complete


def test_a_message_of_another_queue_is_left_unless_the_target_is_named() -> None:
    sqs = TwoQueues()
    dead = sqs.put(sqs.dead, "a", DeadLetterQueueSourceArn="arn:aws:sqs:eu-west-1:111122223333:payments")
    outcome = redrive(sqs)
    assert outcome.left == {dead.id: "it came from payments: name that queue, or use --to"}
    assert redrive(sqs, route=sqs.route(to=sqs.queue.name)).complete


def test_fifo_messages_behind_unselected_ones_are_counted_as_unseen() -> None:
    sqs = TwoQueues(fifo=True)
    for number in range(30):
        sqs.put_dead(str(number), "front" if number < 12 else "back", system={"MessageGroupId": "g"})
    outcome = redrive(sqs, Selection(reason="back"))
    assert (outcome.unseen, outcome.complete, len(sqs.dead.messages)) == (20, False, 30)
    outcome = redrive(sqs, Selection(reason="front"))
    assert (len(outcome.moved), outcome.unseen) == (12, 8)  # of the 18 others, ten can be seen
    assert redrive(sqs).complete
    assert sqs.bodies(sqs.queue) == [str(number) for number in range(30)]


def test_an_error_of_the_client_gives_back_what_is_held_and_says_how_far_it_came() -> None:
    sqs = TwoQueues()
    for number in range(35):
        sqs.put_dead(str(number), "no")
    route = sqs.route()
    run = Redrive(sqs.client, route, survey(sqs.client, route, clock=sqs.clock()), clock=sqs.clock(), rate=100)

    def throttle(number: int, name: str, when: str) -> None:  # noqa: ARG001
        if name == "send_message_batch" and when == "before" and sqs.calls.count(name) == 3:
            raise throttled(name)

    sqs.on_call = throttle
    with pytest.raises(type(throttled("")), match="RequestThrottled"):
        run.run()
    assert (len(run.outcome.moved), len(run.outcome.undeleted), run.outcome.missing) == (20, 10, 5)
    assert set(run.outcome.undeleted.values()) == {"sent or not: the run ended before SQS answered"}
    assert sqs.hidden(sqs.dead) == []


def test_a_survey_changes_nothing_and_hides_nothing() -> None:
    sqs = TwoQueues()
    for number in range(45):
        sqs.put_dead(str(number), "no")
    before = json.dumps(sorted(m.id for m in sqs.dead.messages))
    found = survey(sqs.client, sqs.route(), clock=sqs.clock())
    assert sorted(letter.message_id for letter in found.letters) == json.loads(before)
    assert sqs.hidden(sqs.dead) == []
    assert all(letter.body == "" for letter in found.letters)
