"""One conditional request lays a tombstone; what it says of the work is the same however often it is asked."""

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.claim import Claim, Contended, Holder, RunningElsewhere, Undone
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.claims.tombstone import Left, Tombstone
from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.errors import IdempotencyKeyReused

from ...simulation.reserved_words import RESERVED_WORDS
from .. import scripted_aws
from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..scripted_aws import error

CLAIM, OTHER = Claim("Checkout", "key-1", "digest"), Claim("Checkout", "key-1", "another digest")
RETENTION = 500


class World:
    def __init__(self) -> None:
        self.now = 1000.5
        self.dynamodb = ModelledDynamoDB(lambda: self.now)
        self.table = ClaimsTable(
            dynamodb=self.dynamodb,
            name="claims",
            retention_seconds=RETENTION,
            tables={},
            clock=lambda: self.now,
            sleep=lambda _: None,
            random=random.Random(1),
        )

    def commit(self, claim: Claim = CLAIM, answer: str | None = "5") -> Holder | None:
        return self.table.commits().commit_with_answer(claim, Effects(), answer, lambda: 1.0)

    def lease(self, claim: Claim = CLAIM) -> tuple[Lease, Holder]:
        lease = self.table.lease(claim)
        return lease, lease.take(int(self.now) + 30)

    def lay(self, claim: Claim = CLAIM) -> Left:
        return self.table.tombstone(claim).lay()

    def give_up(self, holder: str | None = None, claim: Claim = CLAIM) -> Holder | None:
        return self.table.tombstone(claim).give_up(holder)

    def item(self) -> dict[str, Any]:
        (item,) = self.dynamodb.claims()
        return item


NOTHING = Left(done=False, began=False, answer=None)


def test_on_what_never_was_it_says_nothing_and_nothing_comes_after() -> None:
    world = World()
    assert [world.lay(), world.lay()] == [NOTHING, NOTHING]
    with pytest.raises(Undone):
        world.commit()
    with pytest.raises(Undone):
        world.lease()


def test_on_what_is_done_it_says_with_which_answer() -> None:
    world = World()
    world.commit()
    done = Left(done=True, began=False, answer="5")
    assert [world.lay(), world.lay()] == [done, done]
    with pytest.raises(Undone):
        world.commit()


def test_while_somebody_is_at_work_it_waits_and_then_says_so() -> None:
    world = World()
    lease, held = world.lease()
    with pytest.raises(RunningElsewhere) as raised:
        world.lay()
    assert raised.value.until == 1030
    world.now = 1031.5
    assert world.lay() == Left(done=False, began=True, answer=None)
    with pytest.raises(Undone):
        lease.complete("5", lambda: 1.0)
    with pytest.raises(Undone):
        lease.give_back(held, forget=False)
    with pytest.raises(Undone):
        world.lease()


def test_an_attempt_that_raised_is_known_when_it_is_not_to_be_forgotten() -> None:
    world = World()
    lease, held = world.lease()
    assert lease.give_back(held, forget=False) is None
    assert world.lease()[1].attempt == 2
    world = World()
    lease, held = world.lease()
    lease.give_back(held, forget=False)
    assert world.lay().began


def test_it_outlives_what_could_still_be_under_way() -> None:
    world = World()
    world.commit()
    world.now += RETENTION - 1
    world.lay()
    assert world.item()["expires_at"]["N"] == str(int(world.now) + RETENTION)


def test_another_payload_s_claim_is_left_alone() -> None:
    world = World()
    world.commit(OTHER)
    assert world.lay() == NOTHING
    found = world.commit(OTHER)
    assert found is not None
    assert found.answer == "5"


def test_another_payload_s_claim_that_has_expired_makes_room() -> None:
    world = World()
    world.commit(OTHER)
    world.now += RETENTION + 1
    assert world.lay() == NOTHING
    assert "answer" not in world.item()
    with pytest.raises(Undone):
        world.commit()


def test_who_gives_up_leaves_nothing_behind() -> None:
    world = World()
    assert world.give_up() is None
    assert world.give_up() is None
    assert world.lay() == NOTHING
    with pytest.raises(Undone):
        world.commit()


def test_the_holder_of_a_lease_gives_up_and_nobody_else_does() -> None:
    world = World()
    lease, _ = world.lease()
    with pytest.raises(RunningElsewhere):
        world.give_up()
    with pytest.raises(RunningElsewhere):
        world.give_up("a stranger")
    assert world.give_up(lease.owner) is None
    assert world.lay() == NOTHING


def test_who_gives_up_what_is_done_hears_of_it() -> None:
    world = World()
    world.commit()
    found = world.give_up()
    assert found is not None
    assert (found.answer, found.undone) == ("5", False)


def test_who_gives_up_another_payload_s_key_is_told_so() -> None:
    world = World()
    world.commit(OTHER)
    with pytest.raises(IdempotencyKeyReused):
        world.give_up()


def test_what_is_done_stays_done_when_somebody_gives_up_after_it_was_undone() -> None:
    """A late action that finds a reason to refuse: the compensation must still know what it undoes."""
    world = World()
    world.commit()
    world.lay()
    with pytest.raises(Undone):
        world.give_up()
    assert world.lay() == Left(done=True, began=False, answer="5")


# Requests.


ASKS = [lambda it: it.lay(), lambda it: it.give_up(None), lambda it: it.give_up("holder")]


def refused(ask: Callable[[Tombstone], object], code: str) -> Any:
    """The request that was made."""
    client = scripted_aws.dynamodb()
    client.always("UpdateItem", error("UpdateItem", code))
    ask_of = Tombstone(client, "claims", RETENTION, lambda: 1000.5, CLAIM, "owner")
    with pytest.raises(Contended if code == "ThrottlingException" else ClientError):
        ask(ask_of)
    (request,) = client.requests("UpdateItem")
    return request


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
@pytest.mark.parametrize("ask", ASKS)
def test_one_request_and_no_reserved_word_in_it(ask: Callable[[Tombstone], object], code: str) -> None:
    request = refused(ask, code)
    words = re.findall(r"(?<![#:])\b[A-Za-z_]+", f"{request['UpdateExpression']} {request['ConditionExpression']}")
    known = {"SET", "REMOVE", "AND", "OR", "if_not_exists", "attribute_not_exists"}
    assert {word for word in words if word.upper() in RESERVED_WORDS} <= known
