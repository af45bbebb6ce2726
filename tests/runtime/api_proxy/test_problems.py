"""What a caller is told when something goes wrong, and what it is not."""

import json
from typing import Any

import pytest

from serverless_patterns_runtime import Effects, Invocation, PermanentError, Put, Request
from serverless_patterns_runtime.api_proxy.problems import MOST_CHARACTERS, problem_of, status_of
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Contended, RunningElsewhere
from serverless_patterns_runtime.errors import (
    AttemptsExhausted,
    ConditionNotMet,
    Expired,
    IdempotencyKeyReused,
    MalformedPayload,
    UncommittableEffects,
    UnusableMessage,
    UnusableResource,
)

from ..sqs_events import NOW
from .api import Answered, Api

CANARY = "canary-4111-1111"


def with_status(status: Any) -> PermanentError:
    """As a subclass may set it, which the constructor does not see."""
    error = PermanentError(CANARY)
    error.status = status
    return error


class Teapot(PermanentError):
    """A user's own, which says no status and calls no super().__init__."""

    def __init__(self, order: int) -> None:  # pyright: ignore[reportInconsistentConstructor]
        self.order = order


class Odd(PermanentError):
    """A user's own, which overwrites what it should not."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        self.message = 7  # type: ignore[assignment]


STATUSES: list[tuple[BaseException, int]] = [
    (PermanentError("no"), 400),
    (PermanentError("no", status=404), 404),
    (PermanentError("no", status=451), 451),
    (PermanentError("no", status=499), 499),
    (PermanentError("later", status=503), 503),
    (Teapot(7), 400),
    (Odd(), 400),
    (MalformedPayload("no"), 400),
    (Expired("no"), 400),
    (AttemptsExhausted("no"), 400),
    (IdempotencyKeyReused(), 422),
    (AnswerNotKept(), 409),
    (RunningElsewhere(NOW + 10), 409),
    (Contended("no"), 503),
    (UncommittableEffects(CANARY), 500),
    (UnusableResult(CANARY), 500),
    (UnusableMessage(CANARY), 500),
    (UnusableResource(CANARY), 500),
    (RuntimeError(CANARY), 500),
    (SystemExit(CANARY), 500),
    (GeneratorExit(CANARY), 500),
    (MemoryError(CANARY), 500),
    *[(with_status(status), 500) for status in (0, 200, 302, 399, 600, 1000, "404", 404.0, True)],
]


def raising(error: BaseException) -> Api:
    def fail(_: Request) -> None:
        raise error

    return Api(fail)


@pytest.mark.parametrize(("error", "status"), STATUSES, ids=[f"{type(error).__name__} {s}" for error, s in STATUSES])
def test_an_error_s_status_and_words(error: BaseException, status: int):
    answered = raising(error).post()
    assert answered.status == status_of(error) == status
    said = answered.problem
    assert said["type"] == "about:blank"
    assert said["title"]
    assert CANARY not in json.dumps(answered.result)
    if isinstance(error, PermanentError) and status != 500:
        assert said["detail"] == str(error.message)


def test_a_500_leaks_nothing_but_the_id_to_ask_with():
    answered = raising(RuntimeError(CANARY)).post(headers={"X-Correlation-Id": "web-1"})
    assert answered.problem == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    assert answered.json["correlation_id"] == "web-1"


@pytest.mark.parametrize(
    ("until", "seconds"), [(27.0, "2"), (2.0, "2"), (1.0, "2"), (0.5, "2"), (0.0, "1"), (-50.0, "1")]
)
def test_who_meets_a_running_request_is_told_when_to_come_back(until: float, seconds: str):
    answered = raising(RunningElsewhere(NOW + until)).post()  # type: ignore[arg-type]
    assert answered.header("Retry-After") == seconds
    assert answered.problem["detail"] == "a request with this idempotency key is still at work"


def test_a_condition_without_words_of_its_own_is_a_409_that_names_no_table_and_a_log_line_that_does():
    api = raising(ConditionNotMet("write 1 (Put ORDERS) was refused: its condition does not hold"))
    said = api.post().problem
    assert (said["status"], said["detail"]) == (409, "the present state of the data does not allow it")
    assert api.log[0]["reason"] == "write 1 (Put ORDERS) was refused: its condition does not hold"


def test_who_meets_contention_is_told_to_come_back_soon():
    assert raising(Contended("x")).post().header("Retry-After") == "1"
    assert raising(PermanentError("no", status=503)).post().header("Retry-After") is None


def test_words_that_are_too_many_are_cut():
    assert len(raising(PermanentError("x" * 10_000)).post().problem["detail"]) == MOST_CHARACTERS


@pytest.mark.parametrize("words", ["Käse\n\r\0", "half \ud800", '"}', "\u2028"])
def test_words_of_any_kind_are_json(words: str):
    assert raising(PermanentError(words)).post().problem["detail"] == words


def test_a_result_without_json_is_a_500_that_does_not_show_it():
    answered = Api(lambda _: {"a": {CANARY}}).post()
    assert answered.problem == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def test_effects_that_no_annotation_announced_are_a_500():
    api = Api(lambda _: Effects([Put("THINGS", {"id": CANARY})]))
    assert api.post().status == 500
    assert CANARY not in api.log_text


async def asynchronous(_: Request) -> None: ...


def generator(_: Request) -> Any:
    yield 1


@pytest.mark.parametrize("function", [asynchronous, generator])
def test_a_function_that_has_not_run_is_a_500(function: Any):
    assert Api(function).post().status == 500


def test_a_response_that_http_cannot_carry_is_a_500_and_splits_nothing():
    def answer(request: Request) -> Any:
        from serverless_patterns_runtime import Response

        return Response(headers={"Location": request.query["next"]})

    answered = Api(answer).post(query={"next": "/\r\nSet-Cookie: a=b"})
    assert answered.status == 500
    assert "set-cookie" not in answered.headers


def test_only_an_interrupt_gets_out():
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt()).post()


def test_an_error_that_a_module_keeps_does_not_keep_what_it_passed():
    error = RuntimeError("kept")
    raising(error).post()
    assert error.__traceback__ is None


def test_a_secret_that_the_handler_does_not_have_is_a_500_that_the_log_explains():
    def ask(_: Request, invocation: Invocation) -> str:
        return invocation.secret("KEY")

    api = Api(ask)
    assert api.post().problem == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    assert "asks for the secret 'KEY'" in api.log[-1]["reason"]


def test_a_problem_is_an_answer_like_any_other():
    Answered(problem_of(PermanentError("no", status=404), correlation_id="c-1", now=NOW).proxy_result([]))
