"""AP1 to AP8, one function at a time; the schedules that interleave them are the simulation's."""

import json
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from serverless_patterns_runtime import Attr, Effects, PermanentError, Put, Response, Update
from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.once import Execution
from serverless_patterns_runtime.api_proxy.settings import ClaimsSettings
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Claim, Contended, RunningElsewhere
from serverless_patterns_runtime.errors import IdempotencyKeyReused, UncommittableEffects

from ..scripted_aws import error
from .modelled_dynamodb import ModelledDynamoDB

START, RETENTION, TIMEOUT = 1_000_000.5, 1000, 25.0
KEY = Claim("Api", "key-1", "digest")
OTHER_BODY = Claim("Api", "key-1", "another digest")
LOST = ConnectionClosedError(endpoint_url="https://dynamodb.invalid")


class Api:
    """One function behind an API, and the clock, the table and the log that it has."""

    def __init__(self, *, effects: bool) -> None:
        self.now = START
        self.warnings: list[str] = []
        self.runs: list[tuple[Claim, int]] = []
        self.dynamodb = ModelledDynamoDB(lambda: self.now, "effects")
        self._numbers = random.Random(1)
        self.edge: Any = SimpleNamespace(
            settings=SimpleNamespace(
                returns_effects=effects,
                tables={"EFFECTS": "effects"},
                claims=ClaimsSettings("claims", "Api", RETENTION),
            ),
            dynamodb=self.dynamodb,
            clock=lambda: self.now,
            sleep=self._sleep,
            random=self._numbers,
            logger=SimpleNamespace(warning=lambda text, extra: self.warnings.append(f"{text} {extra['error_type']}")),
        )

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, does: Callable[..., Any], claim: Claim | None = KEY, request_id: str = "request-1") -> Executed:
        ends = self.now + TIMEOUT

        def call(claim: Claim, attempt: int) -> Any:
            self.runs.append((claim, attempt))
            return does()

        return Execution(self.edge, lambda: ends - self.now).run(claim, request_id, call)

    def refuse(self, does: Callable[..., Any], claim: Claim | None = KEY) -> BaseException:
        """What it raises."""
        try:
            answered = self.ask(does, claim)
        except BaseException as raised:
            return raised
        raise AssertionError(f"answered {answered}")

    @property
    def effects(self) -> int:
        return sum(int(item["times"]["N"]) for item in self.dynamodb.items("effects").values())

    def calls(self) -> list[str]:
        """Since the last time."""
        made, self.dynamodb.operations = self.dynamodb.operations, []
        return made


@pytest.fixture
def transactional() -> Api:
    return Api(effects=True)


@pytest.fixture
def leased() -> Api:
    return Api(effects=False)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Api:
    return Api(effects=request.param == "effects")


both = pytest.mark.parametrize("api", ["effects", "lease"], indirect=True)

numbers = iter(range(1, 1_000_000))


def work(api: Api, result: Any = None, **more: Any) -> Callable[[], Any]:
    """A function whose answers all differ, as those with generated ids do."""

    def does() -> Any:
        answer = Response(201, {"id": next(numbers)}) if result is None else result
        if api.edge.settings.returns_effects:
            return Effects([Update("EFFECTS", {"id": "1"}, add={"times": 1}, **more)], result=answer)
        return answer

    return does


def raises(error: BaseException) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


# --- idempotent_request_ddb_calls


def test_with_effects_a_first_request_costs_one_call_and_a_replay_one(transactional: Api):
    transactional.ask(work(transactional))
    assert transactional.calls() == ["TransactWriteItems"]
    assert transactional.ask(work(transactional)).replayed
    assert transactional.calls() == ["TransactWriteItems"]


def test_with_a_lease_a_first_request_costs_two_calls_and_a_replay_one(leased: Api):
    leased.ask(work(leased))
    assert leased.calls() == ["UpdateItem", "UpdateItem"]
    assert leased.ask(work(leased)).replayed
    assert leased.calls() == ["UpdateItem"]


def test_without_effects_and_without_a_key_there_is_no_call_at_all(leased: Api):
    for _ in range(2):
        assert leased.ask(work(leased), None) == Executed(Answer.of(Response(201, {"id": next(numbers) - 1})), False)
    assert leased.calls() == []
    assert [attempt for _, attempt in leased.runs] == [1, 1]


# --- What every key gets


@both
def test_who_asks_again_gets_the_first_answer_byte_for_byte(api: Api):
    """AP2."""
    first = api.ask(work(api, Response(201, {"é": [1.5, None]}, headers={"X-A": ["1", "2"]}, cookies=["a=b; Path=/"])))
    again = api.ask(work(api))
    assert first == Executed(first.answer, replayed=False)
    assert again == Executed(first.answer, replayed=True)
    assert again.answer.proxy_result() == first.answer.proxy_result()


@both
@pytest.mark.parametrize(
    "result", [None, {"a": 1}, [], "text", b"\x00\xff", Response(204), Response(302), Response(404, {})]
)
def test_every_kind_of_answer_is_kept_as_it_was(api: Api, result: Any):
    function = (lambda: Effects(result=result)) if api.edge.settings.returns_effects else (lambda: result)
    first, again = api.ask(function), api.ask(work(api))
    assert (first.answer, again.answer) == (Answer.of(result), Answer.of(result))
    assert again.replayed


@both
def test_another_body_is_refused_whatever_the_function_says_to_it(api: Api):
    """AP6."""
    api.ask(work(api))
    for does in (work(api), raises(PermanentError("no such thing", status=404)), raises(RuntimeError())):
        assert type(api.refuse(does, OTHER_BODY)) is IdempotencyKeyReused


@both
def test_what_failed_is_tried_again_and_never_replayed(api: Api):
    """AP8."""
    for failure in (PermanentError("no", status=402), RuntimeError("broken"), SystemExit(), UnusableResult("no")):
        assert api.refuse(raises(failure)) is failure
    assert api.ask(work(api, {"ok": 1})) == Executed(Answer.of({"ok": 1}), replayed=False)


@both
def test_a_refusal_leaves_nothing_under_its_key(api: Api):
    for status in (None, 402):
        refusal = PermanentError("no", status=status)
        assert api.refuse(raises(refusal)) is refusal
        assert not api.dynamodb.claims()
    assert not api.ask(work(api), OTHER_BODY).replayed
    assert {attempt for _, attempt in api.runs} == {1}


UNKNOWN_FATE = [TimeoutError(), RuntimeError("broken"), SystemExit(), PermanentError("the bank is out", status=503)]


@pytest.mark.parametrize("failure", UNKNOWN_FATE, ids=repr)
def test_what_a_failed_attempt_may_have_done_it_did_for_its_own_body(leased: Api, failure: BaseException):
    """The provider may have charged the card before its answer was lost."""
    assert leased.refuse(raises(failure)) is failure
    assert type(leased.refuse(work(leased), OTHER_BODY)) is IdempotencyKeyReused
    assert not leased.ask(work(leased)).replayed
    assert [attempt for _, attempt in leased.runs] == [1, 2]


@both
def test_the_same_key_stands_for_the_same_idempotency_key_in_every_run(api: Api):
    api.refuse(raises(RuntimeError()))
    api.ask(work(api))
    assert [claim for claim, _ in api.runs] == [KEY, KEY]


@both
def test_a_claim_that_lapsed_is_new_work_whatever_time_to_live_has_deleted(api: Api):
    """AP7."""
    first = api.ask(work(api))
    api.now += RETENTION - 1
    assert api.ask(work(api)) == Executed(first.answer, replayed=True)
    api.now += 3
    later = api.ask(work(api))
    assert not later.replayed
    assert later.answer != first.answer
    assert api.runs[-1] == (KEY, 1)
    assert api.ask(work(api)) == Executed(later.answer, replayed=True)


@both
def test_a_claim_that_lapsed_may_be_taken_with_another_body(api: Api):
    api.ask(work(api))
    api.now += RETENTION + 2
    assert not api.ask(work(api), OTHER_BODY).replayed
    assert type(api.refuse(work(api), KEY)) is IdempotencyKeyReused


@both
def test_completed_work_whose_answer_was_not_kept_is_neither_repeated_nor_made_up(api: Api):
    """A claim of an older version, or of one that said it otherwise."""
    api.ask(work(api))
    runs = len(api.runs)
    (item,) = api.dynamodb.claims()
    for answer in (None, {"S": "not JSON"}, {"S": "[]"}, {"S": '{"status":201}'}, {"S": '{"version":2,"headers":{}}'}):
        item.pop("answer", None)
        if answer:
            item["answer"] = answer
        assert type(api.refuse(work(api))) is AnswerNotKept
    assert api.effects <= 1
    assert api.edge.settings.returns_effects or len(api.runs) == runs


@both
def test_a_claim_without_a_deadline_is_never_stolen(api: Api):
    """AP4."""
    item = KEY.item(owner="other", free_at=0, done=False, expires_at=int(START) + 100)
    del item["free_at"]
    api.dynamodb.put_item(TableName="claims", Item=item)
    for _ in range(3):
        refused = api.refuse(work(api))
        assert isinstance(refused, RunningElsewhere)
        assert refused.until == int(START) + 100
        api.now += 200
    assert api.effects == 0
    assert api.edge.settings.returns_effects or not api.runs


@both
def test_throttling_for_as_long_as_there_is_time_is_contention(api: Api):
    code = "ThrottlingException"
    for operation in ("TransactWriteItems", "UpdateItem"):
        api.dynamodb.meets[operation] = lambda _: (_ for _ in ()).throw(error("Any", code))
    assert type(api.refuse(work(api))) is Contended
    assert api.now <= START + TIMEOUT - 0.5


@both
def test_a_keyboard_interrupt_is_nobody_s_answer(api: Api):
    assert type(api.refuse(raises(KeyboardInterrupt()))) is KeyboardInterrupt


# --- Effects


def test_of_two_that_compute_at_once_the_loser_answers_what_the_winner_did(transactional: Api):
    winners: list[Executed] = []

    def meanwhile() -> Any:
        winners.append(transactional.ask(work(transactional)))
        return work(transactional)()

    loser = transactional.ask(meanwhile)
    assert loser == Executed(winners[0].answer, replayed=True)
    assert transactional.effects == 1


def test_our_own_commit_whose_answer_was_lost_is_our_answer(transactional: Api):
    """The SDK asks again by itself, and DynamoDB has the claim already: ours."""

    def twice(carry_out: Callable[[], Any]) -> Any:
        carry_out()
        return carry_out()

    transactional.dynamodb.meets["TransactWriteItems"] = twice
    first = transactional.ask(work(transactional, {"id": 1}))
    assert first == Executed(Answer.of({"id": 1}), replayed=False)
    assert transactional.effects == 1


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_commit_of_which_nothing_is_heard_is_no_answer_and_a_retry_settles_it(transactional: Api, carried_out: bool):
    def lost(carry_out: Callable[[], Any]) -> Any:
        if carried_out:
            carry_out()
        raise LOST

    transactional.dynamodb.meets["TransactWriteItems"] = lost
    assert transactional.refuse(work(transactional, {"id": 1})) is LOST
    transactional.dynamodb.meets.clear()
    retried = transactional.ask(work(transactional, {"id": 2}))
    assert retried == Executed(Answer.of({"id": 1 if carried_out else 2}), replayed=carried_out)
    assert transactional.effects == 1


@pytest.mark.parametrize(
    "failure", [PermanentError("paid already", status=409), RuntimeError(), LOST, error("GetItem", "Any")]
)
def test_a_function_that_finds_its_own_work_done_and_fails_does_not_change_the_answer(
    transactional: Api, failure: Exception
):
    first = transactional.ask(work(transactional))
    transactional.calls()
    assert transactional.ask(raises(failure)) == Executed(first.answer, replayed=True)
    assert transactional.calls() == ["GetItem"]


def test_a_write_refused_on_its_own_is_the_answer_and_one_refused_by_its_own_work_is_not(transactional: Api):
    refused = PermanentError("paid already", status=409)

    def does() -> Effects:
        put = Put("EFFECTS", {"id": "1", "times": 1}, condition=Attr("id").not_exists(), otherwise=refused)
        return Effects([put], result={"id": next(numbers)})

    first = transactional.ask(does)
    assert transactional.ask(does) == Executed(first.answer, replayed=True)
    assert transactional.refuse(does, Claim("Api", "key-2", "digest")) is refused
    assert transactional.calls()[-2:] == ["TransactWriteItems", "GetItem"]


def test_a_refusal_that_cannot_be_checked_is_not_given(transactional: Api):
    """It would be final, and the key's work may be complete."""
    transactional.dynamodb.meets["GetItem"] = lambda _: (_ for _ in ()).throw(LOST)
    assert transactional.refuse(raises(PermanentError("no", status=404))) is LOST
    broken = RuntimeError()
    assert transactional.refuse(raises(broken)) is broken


def test_a_request_without_a_key_has_one_effect_and_costs_one_call(transactional: Api):
    def twice(carry_out: Callable[[], Any]) -> Any:
        carry_out()
        return carry_out()

    transactional.dynamodb.meets["TransactWriteItems"] = twice
    assert transactional.ask(work(transactional, {"id": 1}), None, "request-1") == Executed(Answer.of({"id": 1}), False)
    assert transactional.effects == 1
    transactional.dynamodb.meets.clear()
    assert not transactional.ask(work(transactional), None, "request-2").replayed
    assert transactional.effects == 2
    assert transactional.calls() == ["TransactWriteItems"] * 2
    refused = PermanentError("no", status=404)
    assert transactional.refuse(raises(refused), None) is refused
    assert transactional.calls() == []


def test_a_request_without_a_key_is_not_kept_and_may_be_large(transactional: Api):
    answered = transactional.ask(work(transactional, {"a": "x" * 400_000}), None)
    assert len(answered.answer.body) > 400_000
    (item,) = transactional.dynamodb.claims()
    assert "answer" not in item
    assert item["claim"]["S"] != "Api#request-1", "a client could choose it as its key"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"a": "x" * 310_000}, "holds at most 300 KB, to be kept for who asks again; got 310,"),
        ({"a": "é" * 155_000}, "holds at most 300 KB"),
        (Response(500, {}), "returned Effects and the status 500: raise an error instead"),
        (Response(503), "the status 503"),
        (object(), "no JSON"),
    ],
)
def test_an_answer_that_cannot_be_kept_commits_nothing(transactional: Api, result: Any, reason: str):
    refused = transactional.refuse(work(transactional, result))
    assert type(refused) is UnusableResult
    assert reason in str(refused)
    assert transactional.effects == 0
    assert not transactional.dynamodb.claims()


def test_an_answer_of_almost_300_kb_is_kept(transactional: Api):
    first = transactional.ask(work(transactional, {"a": "é" * 153_000}))
    assert transactional.ask(work(transactional)) == Executed(first.answer, replayed=True)


def test_effects_that_can_never_be_committed_are_told(transactional: Api):
    wrong = Effects([Put("NOWHERE", {"id": 1})])
    assert type(transactional.refuse(lambda: wrong)) is UncommittableEffects


# --- Leases


def test_while_one_runs_nobody_else_does(leased: Api):
    seen: list[BaseException] = []

    def meanwhile() -> Any:
        seen.append(leased.refuse(work(leased)))
        seen.append(leased.refuse(work(leased), OTHER_BODY))
        return {"id": 1}

    assert leased.ask(meanwhile) == Executed(Answer.of({"id": 1}), replayed=False)
    running, reused = seen
    assert isinstance(running, RunningElsewhere)
    assert running.until == int(START + TIMEOUT) + 1 + 2, "the end of the invocation, and what clocks may differ"
    assert type(reused) is IdempotencyKeyReused
    assert len(leased.runs) == 1


def test_a_lease_is_held_exactly_until_its_deadline(leased: Api):
    """AP3, AP5: frozen clock, the second before and after."""

    def dies() -> Any:
        raise KeyboardInterrupt

    leased.refuse(dies)
    until = int(leased.dynamodb.claims()[0]["free_at"]["N"])
    leased.now = until + 0.99
    assert type(leased.refuse(work(leased))) is RunningElsewhere
    leased.now = until + 1.0
    assert type(leased.refuse(work(leased), OTHER_BODY)) is IdempotencyKeyReused
    assert not leased.ask(work(leased)).replayed
    assert leased.runs == [(KEY, 1), (KEY, 2)], "the second knows that the first died in an unknown state"


def test_the_count_of_attempts_survives_a_failure_after_a_death(leased: Api):
    leased.refuse(raises(KeyboardInterrupt()))
    leased.now += TIMEOUT + 5
    assert type(leased.refuse(raises(RuntimeError()))) is RuntimeError
    assert type(leased.refuse(work(leased), OTHER_BODY)) is IdempotencyKeyReused, "the first may have had its effect"
    first = leased.ask(work(leased))
    assert [attempt for _, attempt in leased.runs] == [1, 2, 3]
    assert "attempt" not in leased.dynamodb.claims()[0]
    assert leased.ask(work(leased)) == Executed(first.answer, replayed=True)


def test_an_answer_is_given_only_once_it_is_recorded(leased: Api):
    taken: list[str] = []

    def lost_once(carry_out: Callable[[], Any]) -> Any:
        taken.append("call")
        if len(taken) == 2:
            carry_out()
            raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
        return carry_out()

    leased.dynamodb.meets["UpdateItem"] = lost_once
    assert type(leased.refuse(work(leased, {"id": 1}))) is ReadTimeoutError
    assert leased.ask(work(leased)) == Executed(Answer.of({"id": 1}), replayed=True)
    assert len(leased.runs) == 1


def test_a_lease_whose_answer_was_lost_is_known_by_its_owner(leased: Api):
    def twice(carry_out: Callable[[], Any]) -> Any:
        carry_out()
        return carry_out()

    leased.dynamodb.meets["UpdateItem"] = twice
    assert leased.ask(work(leased, {"id": 1})) == Executed(Answer.of({"id": 1}), replayed=False)
    assert leased.runs == [(KEY, 1)]


def overtaken(leased: Api, by: Callable[[], Any]) -> Callable[[], None]:
    """Runs while another takes the claim over, as it may when this clock stood still for longer than the lease."""

    def meanwhile() -> None:
        leased.now += TIMEOUT + 5
        by()

    return meanwhile


def test_who_was_overtaken_answers_what_was_recorded(leased: Api):
    winner = work(leased, {"id": "winner"})

    def slow() -> Any:
        overtaken(leased, lambda: leased.ask(winner))()
        return {"id": "loser"}

    assert leased.ask(slow) == Executed(Answer.of({"id": "winner"}), replayed=True)


@pytest.mark.parametrize("failure", [PermanentError("no", status=404), RuntimeError()])
def test_who_was_overtaken_and_fails_answers_what_was_recorded(leased: Api, failure: Exception):
    winner = work(leased, {"id": "winner"})

    def slow() -> Any:
        overtaken(leased, lambda: leased.ask(winner))()
        raise failure

    assert leased.ask(slow) == Executed(Answer.of({"id": "winner"}), replayed=True)
    assert leased.ask(winner).replayed, "it could not delete another's record"


@pytest.mark.parametrize("fails", [True, False])
def test_who_was_overtaken_by_one_still_at_work_has_no_answer(leased: Api, fails: bool):
    def slow() -> Any:
        overtaken(leased, lambda: leased.refuse(raises(KeyboardInterrupt())))()
        if fails:
            raise PermanentError("no", status=404)
        return {"id": "loser"}

    refused = leased.refuse(slow)
    assert isinstance(refused, RunningElsewhere)
    assert refused.until > leased.now


def test_a_failure_that_cannot_be_recorded_is_answered_and_warned_of(leased: Api):
    leased.dynamodb.meets["DeleteItem"] = lambda _: (_ for _ in ()).throw(LOST)
    failure = PermanentError("no", status=404)
    assert leased.refuse(raises(failure)) is failure
    assert leased.warnings == ["a claim could not be given back: it holds until its deadline ConnectionClosedError"]
    assert isinstance(leased.refuse(work(leased)), RunningElsewhere)


def test_a_response_that_says_failure_is_answered_and_not_kept(leased: Api):
    answered = leased.ask(lambda: Response(503, {"try": "later"}))
    assert answered == Executed(Answer.of(Response(503, {"try": "later"})), replayed=False)
    assert type(leased.refuse(work(leased), OTHER_BODY)) is IdempotencyKeyReused
    assert leased.ask(work(leased, {"id": 1})) == Executed(Answer.of({"id": 1}), replayed=False)
    assert leased.runs[-1] == (KEY, 2)


@pytest.mark.parametrize("result", [{"a": "x" * 310_000}, object(), {1.5: float("nan")}])
def test_work_whose_answer_cannot_be_kept_is_not_repeated(leased: Api, result: Any):
    """It may have charged a card."""
    assert type(leased.refuse(lambda: result)) is UnusableResult
    assert type(leased.refuse(work(leased))) is AnswerNotKept
    assert len(leased.runs) == 1


def test_a_throttled_record_is_tried_again(leased: Api):
    answers: list[ClientError] = [
        error("UpdateItem", "ThrottlingException"),
        error("UpdateItem", "RequestLimitExceeded"),
    ]
    calls: list[str] = []

    def throttled(carry_out: Callable[[], Any]) -> Any:
        calls.append("call")
        if len(calls) > 1 and answers:
            raise answers.pop()
        return carry_out()

    leased.dynamodb.meets["UpdateItem"] = throttled
    assert leased.ask(work(leased, {"id": 1})) == Executed(Answer.of({"id": 1}), replayed=False)
    assert len(calls) == 4


def test_a_stored_answer_is_json_and_holds_the_answer_alone(leased: Api):
    leased.ask(lambda: Response(201, {"id": 1}, headers={"Location": "/1"}))
    assert json.loads(leased.dynamodb.claims()[0]["answer"]["S"]) == {
        "status": 201,
        "headers": {"Location": ["/1"], "Content-Type": ["application/json"]},
        "body": '{"id":1}',
        "base64": False,
    }
