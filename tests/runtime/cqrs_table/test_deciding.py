"""One command: what is asked of DynamoDB for it, what is written, what is answered, and who is refused."""

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime import Command, Decision, Effects, Invocation, PermanentError
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Contended
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.aggregate import Schema
from serverless_patterns_runtime.errors import IdempotencyKeyReused, UncommittableEffects, UnusableResource
from tests.simulation.aws_errors import ServiceError, client_error, connection_lost

from .orders import CLAIMS, RETENTION, Orders

READ, WRITE = "batch_get_item", "transact_write_items"


def error(code: str, **fields: Any) -> ClientError:
    return client_error("dynamodb", "TransactWriteItems", ServiceError(code, **fields))


def raising(failure: Exception) -> Any:
    def happens() -> None:
        raise failure

    return happens


def test_a_command_is_one_read_and_one_transaction() -> None:
    orders = Orders()
    answer, replayed = orders.do("place", {"total": 3})
    version = orders.now
    assert (answer, replayed) == (
        {"key": "o-1", "version": version, "token": f"{version}@o-1", "result": "placed"},
        False,
    )
    assert orders.client.operations == [READ, WRITE]
    assert orders.item() == {
        "order_id": {"S": "o-1"},
        "status": {"S": "placed"},
        "total": {"N": "3"},
        "_aggregate": {
            "M": {
                "version": {"N": str(version)},
                "schema": {"N": "1"},
                "at": {"N": str(orders.now)},
                "command": {"S": "place"},
            }
        },
    }


def test_every_change_is_one_version_more() -> None:
    orders = Orders()
    first, _ = orders.do("place")
    orders.clock.now += 5
    answers = [orders.do("add", {"amount": 1}, id=f"add-{number}")[0] for number in range(3)]
    assert [answer["version"] - first["version"] for answer in answers] == [1, 2, 3]
    assert [answer["result"] for answer in answers] == [{"total": 1}, {"total": 2}, {"total": 3}]
    assert orders.conflicts == []


def test_the_same_command_again_has_its_first_answer_and_no_effect() -> None:
    orders = Orders()
    first, _ = orders.do("place", {"total": 3})
    orders.do("add", {"amount": 1}, id="id-2")
    orders.client.operations.clear()
    assert orders.do("place", {"total": 3}) == (first, True)
    assert orders.client.operations == [READ]


@pytest.mark.parametrize(
    "other",
    [
        {"body": {"total": 4}},
        {"name": "cancel"},
        {"key": "o-2"},
        {"expected": 0},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_id_stands_for_everything_that_its_command_says(other: dict[str, Any]) -> None:
    orders = Orders()
    orders.do("place", {"total": 3})
    said = {"name": "place", "body": {"total": 3}, **other}
    with pytest.raises(IdempotencyKeyReused):
        orders.do(**said)
    assert len(orders.dynamodb.tables[CLAIMS].items) == 1


def test_a_claim_that_is_over_is_nobody_s() -> None:
    orders = Orders()
    orders.do("place")
    orders.do("cancel", id="id-2")
    orders.clock.now += RETENTION + 2
    _, replayed = orders.do("place")
    assert replayed is False


def test_a_refusal_is_the_function_s_own_and_is_not_kept() -> None:
    orders = Orders()
    with pytest.raises(PermanentError, match="no such order") as raised:
        orders.do("add", {"amount": 1})
    assert raised.value.status == 404
    assert not orders.dynamodb.tables[CLAIMS].items
    orders.do("place", id="id-2")
    assert orders.do("add", {"amount": 1})[0]["result"] == {"total": 1}


def test_a_refusal_that_says_no_status_is_a_conflict_with_the_state() -> None:
    orders = Orders()
    orders.do("place")
    with pytest.raises(PermanentError, match="placed already") as raised:
        orders.do("place", id="id-2")
    assert raised.value.status == 409


def test_another_change_in_between_is_decided_upon_again() -> None:
    orders = Orders()
    orders.do("place", {"total": 10})
    orders.client.before[WRITE] = [lambda: orders.do("add", {"amount": 5}, id="other")]
    orders.client.operations.clear()
    answer, _ = orders.do("add", {"amount": 1}, id="mine")
    assert answer["result"] == {"total": 16}
    assert orders.client.operations == [READ, WRITE, READ, WRITE, WRITE]  # the conflict itself brings the new item
    assert orders.conflicts == [1]


def test_another_change_in_between_may_make_it_a_refusal() -> None:
    orders = Orders()
    orders.client.before[WRITE] = [lambda: orders.do("place", {"total": 1}, id="other")]
    with pytest.raises(PermanentError, match="placed already"):
        orders.do("place", {"total": 2}, id="mine")
    assert orders.item()["total"] == {"N": "1"}  # type: ignore[index]


def test_an_item_that_vanishes_in_between_is_decided_upon_again() -> None:
    orders = Orders()
    orders.do("place")
    orders.client.before[WRITE] = [orders.delete]
    with pytest.raises(PermanentError, match="no such order"):
        orders.do("add", {"amount": 1}, id="mine")


def test_what_a_decision_does_to_its_arguments_is_not_there_when_it_is_called_again() -> None:
    seen: list[Any] = []

    def greedy(state: dict[str, Any] | None, command: Command) -> Decision:
        seen.append((dict(state or {}), dict(command.body)))
        if state:
            state["total"] = 1000
        command.body["amount"] = 1000
        return Decision({"total": 0} if state is None else {**state, "total": 1})

    orders = Orders(greedy)
    orders.do("place", {"amount": 1})
    orders.client.before[WRITE] = [lambda: orders.do("add", {"amount": 7}, id="other")]
    orders.do("add", {"amount": 2}, id="mine")
    assert seen[1] == seen[1]
    assert seen[1][1] == {"amount": 2}
    assert seen[-1] == ({"order_id": "o-1", "total": 1}, {"amount": 2})


def test_the_same_command_at_work_elsewhere_is_answered_as_that_one_was() -> None:
    orders = Orders()
    twin: list[Any] = []
    orders.client.before[WRITE] = [lambda: twin.append(orders.do("place", {"total": 1})[0])]
    assert orders.do("place", {"total": 1}) == (twin[0], True)
    assert orders.item()["total"] == {"N": "1"}  # type: ignore[index]


def test_who_is_refused_by_its_own_effect_is_answered_as_it_was_the_first_time() -> None:
    """The claim is read before the aggregate is, and the command commits in between."""
    orders = Orders()
    orders.do("place", {"total": 1})
    orders.dynamodb.tables[CLAIMS].items, kept = {}, orders.dynamodb.tables[CLAIMS].items
    orders.client.after[READ] = [lambda: orders.dynamodb.tables[CLAIMS].items.update(kept)]
    answer, replayed = orders.do("place", {"total": 1})
    assert (answer["result"], replayed) == ("placed", True)


def test_a_refusal_that_cannot_be_checked_is_no_refusal() -> None:
    orders = Orders()
    orders.do("place")
    failure = error("InternalServerError")
    orders.client.after[READ] = [lambda: orders.client.before.update({READ: [raising(failure)]})]
    with pytest.raises(ClientError, match="InternalServerError"):
        orders.do("place", id="id-2")


def test_a_lost_answer_is_found_under_the_same_owner() -> None:
    """As the SDK's own second try finds it, when the service has forgotten the first."""
    orders = Orders()
    orders.client.after[WRITE] = [raising(error("TransactionInProgressException"))]
    answer, replayed = orders.do("place", {"total": 1})
    assert (answer["result"], replayed) == ("placed", False)
    assert orders.client.operations == [READ, WRITE, WRITE]


def test_after_a_lost_connection_the_same_command_settles_it() -> None:
    orders = Orders()
    orders.client.after[WRITE] = [raising(connection_lost("dynamodb"))]
    with pytest.raises(Exception, match="Connection was closed"):
        orders.do("place", {"total": 1})
    assert orders.do("place", {"total": 1})[1] is True


def test_contention_that_does_not_end_is_said_and_nothing_is_written() -> None:
    orders = Orders()

    def again() -> None:
        orders.client.before[WRITE] = [again]
        raise error(
            "TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}]
        )

    orders.client.before[WRITE] = [again]
    with pytest.raises(Contended):
        orders.do("place")
    assert orders.item() is None
    assert sum(orders.clock.sleeps) < 25


class TestExpectedVersion:
    def test_the_version_that_is_there(self) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        assert orders.do("add", {"amount": 1}, id="id-2", expected=version)[0]["version"] == version + 1

    @pytest.mark.parametrize("expected", [1, 0], ids=["another", "none"])
    def test_another_one(self, expected: int) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        with pytest.raises(PermanentError, match=f"there is version {version}") as raised:
            orders.do("add", {"amount": 1}, id="id-2", expected=expected)
        assert raised.value.status == 409
        assert orders.client.operations[-2:] == [READ, READ]

    @pytest.mark.parametrize("deleted", [False, True])
    def test_there_must_be_none_and_there_is_none(self, deleted: bool) -> None:
        orders = Orders()
        if deleted:
            orders.do("cancel", id="id-0")
        assert orders.do("place", expected=0)[0]["result"] == "placed"

    def test_a_deleted_one_has_no_version_to_expect(self) -> None:
        orders = Orders()
        version = orders.do("cancel", id="id-0")[0]["version"]
        with pytest.raises(PermanentError, match="there is none"):
            orders.do("add", expected=version)

    def test_a_race_for_it_is_lost_by_all_but_one(self) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        orders.client.before[WRITE] = [lambda: orders.do("add", {"amount": 5}, id="other", expected=version)]
        with pytest.raises(PermanentError, match=f"there is version {version + 1}"):
            orders.do("add", {"amount": 1}, id="mine", expected=version)

    def test_the_one_who_won_it_is_told_so_again(self) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        first = orders.do("add", {"amount": 5}, id="id-2", expected=version)[0]
        assert orders.do("add", {"amount": 5}, id="id-2", expected=version) == (first, True)


class TestDeleted:
    def test_it_leaves_its_key_and_its_version(self) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        answer, _ = orders.do("cancel", id="id-2")
        assert answer["version"] == version + 1
        item = orders.item()
        assert item is not None
        assert item.keys() == {"order_id", "_aggregate"}
        assert item["_aggregate"]["M"]["deleted"] == {"BOOL": True}

    def test_one_that_comes_again_goes_on_from_it(self) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        orders.do("cancel", id="id-2")
        assert orders.do("place", id="id-3")[0]["version"] == version + 2

    def test_one_whose_item_was_deleted_repeats_no_version(self) -> None:
        orders = Orders()
        version = orders.do("place")[0]["version"]
        for number in range(20):
            version = orders.do("add", {"amount": 1}, id=f"a{number}")[0]["version"]
        orders.delete()
        orders.clock.now += 1
        assert orders.do("place", id="id-3")[0]["version"] > version


class TestAdopted:
    def test_the_first_command_gives_it_a_version(self) -> None:
        orders = Orders()
        orders.put(order_id={"S": "o-1"}, total={"N": "4"})
        answer, _ = orders.do("add", {"amount": 1})
        assert (answer["version"], answer["result"]) == (orders.now, {"total": 5})

    def test_a_version_that_comes_in_between_counts(self) -> None:
        orders = Orders()
        orders.put(order_id={"S": "o-1"}, total={"N": "4"})

        def backfill() -> None:
            about = {"M": {"version": {"N": "77"}, "at": {"N": "1"}}}
            orders.put(order_id={"S": "o-1"}, total={"N": "4"}, _aggregate=about)

        orders.client.before[WRITE] = [backfill]
        assert orders.do("add", {"amount": 1})[0]["version"] == 78

    def test_one_that_vanishes_in_between_is_not_brought_back(self) -> None:
        orders = Orders()
        orders.put(order_id={"S": "o-1"}, total={"N": "4"})
        orders.client.before[WRITE] = [orders.delete]
        with pytest.raises(PermanentError, match="no such order"):
            orders.do("add", {"amount": 1})

    def test_there_must_be_none_and_there_is_one(self) -> None:
        orders = Orders()
        orders.put(order_id={"S": "o-1"}, total={"N": "4"})
        with pytest.raises(PermanentError, match="one without a version"):
            orders.do("place", expected=0)

    @pytest.mark.parametrize("about", [{"S": "mine"}, {"M": {"mine": {"S": "x"}}}])
    def test_our_name_in_somebody_else_s_item_is_no_aggregate(self, about: Any) -> None:
        orders = Orders()
        orders.put(order_id={"S": "o-1"}, _aggregate=about)
        with pytest.raises(UnusableResource, match="not ours"):
            orders.do("place")


class TestWhatAFunctionReturns:
    @pytest.mark.parametrize(
        "result",
        [None, {"status": "placed"}, ({}, 1), Effects(), (number for number in ())],
        ids=["None", "a dict", "a pair", "Effects", "a generator"],
    )
    def test_nothing_but_a_decision(self, result: Any) -> None:
        with pytest.raises(UnusableResult, match="orders:decide returned a"):
            Orders(lambda *_: result).do("place")

    def test_a_coroutine_has_not_run(self) -> None:
        async def later(*_: Any) -> Decision:
            return Decision({})

        with pytest.raises(UnusableResult, match="has not run"):
            Orders(later).do("place")

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ({"_aggregate": {"version": 1}}, "attribute _aggregate"),
            ({"order_id": "o-2"}, "another order_id"),
            ({"order_id": 1}, "another order_id"),
        ],
    )
    def test_neither_our_name_nor_another_key(self, state: dict[str, Any], said: str) -> None:
        orders = Orders(lambda *_: Decision(state))
        with pytest.raises(UnusableResult, match=said):
            orders.do("place")
        assert orders.item() is None

    @pytest.mark.parametrize(
        "state",
        [{"when": object()}, {1: "one"}, {"n": float("nan")}, {"s": set()}],
        ids=["an object", "a number as a name", "not a number", "an empty set"],
    )
    def test_nothing_that_dynamodb_has_no_type_for(self, state: Any) -> None:
        with pytest.raises(UncommittableEffects):
            Orders(lambda *_: Decision(state)).do("place")

    def test_not_too_deep(self) -> None:
        deep: Any = 1
        for _ in range(40):
            deep = [deep]
        with pytest.raises(UncommittableEffects, match="levels"):
            Orders(lambda *_: Decision({"deep": deep})).do("place")

    @pytest.mark.parametrize("size", [500_000, contract.MAX_ITEM_BYTES - 60], ids=["far", "by a little"])
    def test_a_state_that_is_too_large_is_told_with_its_size(self, size: int) -> None:
        orders = Orders(lambda *_: Decision({"text": "x" * size}))
        with pytest.raises(
            PermanentError, match=r"at most 409,600 bytes, this would be about [45]\d\d,\d\d\d"
        ) as raised:
            orders.do("place")
        assert raised.value.status == 413

    @pytest.mark.parametrize(("result", "said"), [("x" * 262_143, "at most 256 KB"), ({1, 2}, "no JSON")])
    def test_a_result_is_json_that_can_be_kept(self, result: Any, said: str) -> None:
        orders = Orders(lambda *_: Decision({}, result))
        with pytest.raises(UnusableResult, match=said):
            orders.do("place")
        assert orders.item() is None

    def test_the_largest_result_and_the_largest_key_are_kept(self) -> None:
        orders = Orders(lambda *_: Decision({}, "x" * 262_142))
        key = "ü" * 512
        answer, _ = orders.do("place", key=key)
        assert orders.do("place", key=key) == (answer, True)

    def test_numbers_come_back_as_they_went_in(self) -> None:
        states: list[Any] = []

        def keeping(state: dict[str, Any] | None, _: Command) -> Decision:
            states.append(state)
            return Decision(
                {"whole": 3, "float": 1.5, "decimal": Decimal("0.10"), "list": [2.0]}, result=Decimal("2.50")
            )

        orders = Orders(keeping)
        first, _ = orders.do("place")
        orders.do("place", id="id-2")
        assert states[1] == {
            "order_id": "o-1", "whole": 3, "float": Decimal("1.5"), "decimal": Decimal("0.10"), "list": [2]
        }  # fmt: skip
        assert type(states[1]["whole"]) is int
        assert first["result"] == 2.5
        assert orders.do("place")[0] == first


def test_a_refusal_by_dynamodb_is_the_function_s_mistake() -> None:
    orders = Orders()
    reason = {"Code": "ValidationError", "Message": "Type mismatch for Index Key"}
    failure = error("TransactionCanceledException", CancellationReasons=[{"Code": "None"}, reason])
    orders.client.before[WRITE] = [raising(failure)]
    with pytest.raises(UncommittableEffects, match="Index Key"):
        orders.do("place")


def test_what_dynamodb_counts_as_too_large_is_told_with_its_size() -> None:
    orders = Orders()
    reason = {"Code": "ValidationError", "Message": "Item size has exceeded the maximum allowed size"}
    failure = error("TransactionCanceledException", CancellationReasons=[{"Code": "None"}, reason])
    orders.client.before[WRITE] = [raising(failure)]
    with pytest.raises(PermanentError, match="this would be about") as raised:
        orders.do("place")
    assert raised.value.status == 413


def test_an_unknown_command_is_told_the_known_ones() -> None:
    with pytest.raises(PermanentError, match="there are place, add, cancel") as raised:
        Orders().do("ship")
    assert raised.value.status == 400


@pytest.mark.parametrize(
    "key", ["", "x" * 1025, "ü" * 513, 7, None, ["o-1"]], ids=["empty", "long", "bytes", "number", "none", "list"]
)
def test_a_key_is_text(key: Any) -> None:
    orders = Orders()
    with pytest.raises(PermanentError, match="order_id is text of 1 to 1,024 bytes") as raised:
        orders.do("place", key=key)
    assert (raised.value.status, orders.client.operations) == (400, [])


def test_half_a_surrogate_pair_is_no_text() -> None:
    orders = Orders()
    with pytest.raises(PermanentError, match="surrogate"):
        orders.do("place", key="\ud800")
    assert orders.client.operations == []


def test_an_answer_of_another_kind_is_not_known_any_more() -> None:
    orders = Orders()
    orders.do("place")
    (claim,) = orders.dynamodb.tables[CLAIMS].items.values()
    claim["answer"] = {"S": '{"status": 200}'}
    with pytest.raises(AnswerNotKept):
        orders.do("place")


def test_a_state_of_newer_code_is_not_touched() -> None:
    orders = Orders()
    orders.put(order_id={"S": "o-1"}, _aggregate={"M": {"version": {"N": "5"}, "schema": {"N": "2"}}})
    with pytest.raises(UnusableResource, match="schema version 2"):
        orders.do("cancel")


def test_an_older_state_is_decided_upon_as_this_code_knows_it() -> None:
    orders = Orders(schema=Schema(2, lambda state, _: {**state, "total": state["amount"]}))
    orders.put(order_id={"S": "o-1"}, amount={"N": "9"}, _aggregate={"M": {"version": {"N": "5"}}})
    assert orders.do("add", {"amount": 1})[0]["result"] == {"total": 10}
    assert orders.item()["_aggregate"]["M"]["schema"] == {"N": "2"}  # type: ignore[index]


def test_a_function_may_ask_for_the_invocation() -> None:
    seen: list[Any] = []

    def decide(_: Any, command: Command, invocation: Invocation) -> Decision:
        seen.append((invocation.idempotency_key, command.at))
        return Decision({})

    orders = Orders(decide, invoked=3)
    orders.do("place", id="id-7")
    assert seen == [("id-7", orders.now)]
