import pytest

from serverless_patterns_runtime.claims.claim import AnswerNotKept, Claim, Holder, RunningElsewhere
from serverless_patterns_runtime.errors import IdempotencyKeyReused

CLAIM = Claim("Fulfilment", "A-1", "digest")


def holder(*, payload: str = "digest", done: bool) -> Holder:
    return Holder.from_item(
        CLAIM.item(owner="other", free_at=1030, done=done, expires_at=2000) | {"payload": {"S": payload}}
    )


def test_a_claim_is_named_by_namespace_and_key():
    assert CLAIM.id == "Fulfilment#A-1"


def test_a_claim_s_item_is_what_the_table_holds():
    assert CLAIM.item(owner="o", free_at=1030, done=False, expires_at=2000) == {
        "claim": {"S": "Fulfilment#A-1"},
        "payload": {"S": "digest"},
        "owner": {"S": "o"},
        "free_at": {"N": "1030"},
        "done": {"BOOL": False},
        "expires_at": {"N": "2000"},
    }


def test_a_claim_s_item_keeps_an_answer_where_there_is_one():
    item = CLAIM.item(owner="o", free_at=2000, done=True, expires_at=2000, answer="{}")
    assert item["answer"] == {"S": "{}"}
    assert Holder.from_item(item).answer == "{}"


def test_a_holder_is_read_from_an_item():
    assert holder(done=True) == Holder(
        payload="digest", owner="other", free_at=1030, done=True, expires_at=2000, attempt=1, answer=None
    )


def test_attempts_are_read_where_they_are_counted():
    item = CLAIM.item(owner="o", free_at=1030, done=False, expires_at=2000) | {"attempt": {"N": "3"}}
    assert Holder.from_item(item).attempt == 3


@pytest.mark.parametrize(("also", "until"), [((), 2000), (("expires_at",), 0)])
def test_a_claim_without_a_deadline_runs_for_as_long_as_the_table_keeps_it(also: tuple[str, ...], until: int):
    """AP4."""
    item = CLAIM.item(owner="o", free_at=1030, done=False, expires_at=2000)
    for name in ("free_at", *also):
        del item[name]
    with pytest.raises(RunningElsewhere) as raised:
        Holder.from_item(item).judge(CLAIM)
    assert raised.value.until == until


def test_an_answer_that_was_not_kept_is_a_conflict_that_no_retry_mends():
    error = AnswerNotKept()
    assert (error.status, str(error)) == (409, "the request with this key was completed, and its answer was not kept")


def test_complete_work_makes_a_duplicate():
    holder(done=True).judge(CLAIM)


def test_running_work_says_until_when():
    with pytest.raises(RunningElsewhere, match=r"^another attempt holds the claim$") as raised:
        holder(done=False).judge(CLAIM)
    assert raised.value.until == 1030


@pytest.mark.parametrize("done", [True, False])
def test_another_payload_is_refused_loudly_and_without_saying_what_it_is(done: bool):
    with pytest.raises(IdempotencyKeyReused, match=r"^the idempotency key was used before, with another payload$"):
        holder(payload="other", done=done).judge(CLAIM)
