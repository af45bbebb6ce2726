import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.claims.attempts import Noted
from serverless_patterns_runtime.errors import AttemptsExhausted, PermanentError
from serverless_patterns_runtime.load_leveled_queue.attempt_limit import AttemptLimit
from serverless_patterns_runtime.load_leveled_queue.message import Message
from serverless_patterns_runtime.load_leveled_queue.verdicts import (
    Busy,
    Duplicate,
    Failed,
    Refused,
    Succeeded,
    Unstarted,
    Verdict,
)

from ..sqs_events import record

FAILED = Failed(ValueError("canary 4111"))
OTHER_VERDICTS = [Succeeded(), Duplicate(), Refused(PermanentError("no")), Busy(7), Unstarted(3)]


class Counter:
    def __init__(self) -> None:
        self.attempts: dict[str, set[int]] = {}
        self.excused: set[str] = set()
        self.writes = 0

    def count(self, message_id: str, receive_count: int) -> Noted:
        self.writes += 1
        self.attempts.setdefault(message_id, set()).add(receive_count)
        return Noted(len(self.attempts[message_id]), message_id in self.excused)

    def take_back(self, message_id: str, receive_count: int) -> None:
        self.writes += 1
        self.attempts[message_id].discard(receive_count)

    def take_all_back(self, message_id: str) -> None:
        self.writes += 1
        del self.attempts[message_id]
        self.excused.add(message_id)


def limit(counter: Counter, most: int = 3, *, enabled: bool = True) -> AttemptLimit:
    return AttemptLimit(
        limit=most,
        count=counter.count,
        take_back=counter.take_back,
        take_all_back=counter.take_all_back,
        enabled=enabled,
    )


def received(times: int) -> Message:
    return Message(record({}, message_id="m", group="g", receives=times))


def attempt(limit: AttemptLimit, receive: int, verdict: Verdict) -> Verdict:
    message = received(receive)
    try:
        number = limit.number_of(message)
    except AttemptsExhausted as error:
        return Refused(error)
    return limit.judge(message, number, verdict)


def test_a_healthy_message_costs_no_write():
    counter = Counter()
    assert attempt(limit(counter), 1, Succeeded()) == Succeeded()
    assert counter.writes == 0


@pytest.mark.parametrize("verdict", OTHER_VERDICTS, ids=lambda verdict: type(verdict).__name__)
def test_only_failures_use_up_attempts(verdict: Verdict):
    counter = Counter()
    assert attempt(limit(counter, 1), 1, verdict) is verdict
    assert counter.writes == 0


def test_the_last_failure_is_a_refusal_that_names_the_error_s_type_and_not_its_text():
    counter = Counter()
    limited = limit(counter)
    assert [attempt(limited, receive, FAILED) for receive in (1, 2)] == [FAILED, FAILED]
    refused = attempt(limited, 3, FAILED)
    assert refused == Refused(AttemptsExhausted("failed 3 times, the last time with ValueError"))
    assert counter.writes == 3


def test_an_attempt_that_was_none_is_taken_back():
    counter = Counter()
    limited = limit(counter)
    for receive in range(1, 100):
        assert limited.number_of(received(receive)) == Noted(1)
        limited.withdraw(received(receive))
    assert [attempt(limited, receive, FAILED) for receive in (100, 101)] == [FAILED, FAILED]
    assert isinstance(attempt(limited, 102, FAILED), Refused)


def test_a_message_that_is_excused_has_all_its_attempts_again_and_it_is_known():
    counter = Counter()
    limited = limit(counter)
    for receive in (1, 2, 3):
        attempt(limited, receive, FAILED)
    limited.excuse(received(3))
    assert [limited.number_of(received(receive)) for receive in (4, 5)] == [Noted(1, True), Noted(2, True)]
    assert isinstance(attempt(limited, 6, FAILED), Refused)


def test_where_nobody_counts_nothing_is_taken_back():
    counter = Counter()
    limit(counter, enabled=False).withdraw(received(2))
    limit(counter).withdraw(received(1))
    assert counter.writes == 0


def test_a_limit_of_one_refuses_the_first_failure():
    assert isinstance(attempt(limit(Counter(), 1), 1, FAILED), Refused)


def test_receives_without_an_attempt_do_not_count():
    """The healthy message behind a failing one of its FIFO group, received with it again and again."""
    counter = Counter()
    limited = limit(counter)
    assert [attempt(limited, receive, FAILED) for receive in (40, 41)] == [FAILED, FAILED]
    assert isinstance(attempt(limited, 42, FAILED), Refused)


def test_attempts_that_died_without_a_word_end_in_a_refusal_without_another_try():
    counter = Counter()
    limited = limit(counter)
    for receive in (2, 3, 4):
        limited.number_of(received(receive))
    with pytest.raises(AttemptsExhausted, match=r"^started 3 times, with no end that could be recorded$"):
        limited.number_of(received(5))


@given(st.integers(1, 6), st.lists(st.booleans(), min_size=20, max_size=20))
def test_a_poison_message_runs_at_most_once_more_than_its_limit(most: int, dies: list[bool]):
    """The first receive costs no write, so that a death in it goes uncounted: one run more, never more than one."""
    counter, runs = Counter(), 0
    limited = limit(counter, most)
    for receive, death in enumerate(dies, start=1):
        message = received(receive)
        try:
            number = limited.number_of(message)
        except AttemptsExhausted:
            break
        runs += 1
        if not death and isinstance(limited.judge(message, number, FAILED), Refused):
            break
    assert runs <= most + dies[0]


@pytest.mark.parametrize("receive", [1, 2, 3, 1000])
def test_where_sqs_counts_nothing_is_written_and_the_last_receive_keeps_its_reason(receive: int):
    counter = Counter()
    disabled = limit(counter, 3, enabled=False)
    assert disabled.number_of(received(receive)) == Noted(receive)
    verdict = disabled.judge(received(receive), Noted(receive), FAILED)
    reason = f"failed {receive} times, the last time with ValueError"
    assert verdict == (FAILED if receive < 3 else Refused(AttemptsExhausted(reason)))
    assert counter.writes == 0
