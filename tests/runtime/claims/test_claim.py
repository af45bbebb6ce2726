import pytest

from serverless_patterns_runtime.claims.claim import Claim, Holder, RunningElsewhere
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


def test_a_holder_is_read_from_an_item():
    assert holder(done=True) == Holder(payload="digest", owner="other", free_at=1030, done=True)


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
