"""`testing.commit` is what users hold their functions against: it may be no kinder and no stricter than DynamoDB."""

import copy
import random
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import (
    Attr,
    Check,
    Delete,
    Effects,
    Invocation,
    PermanentError,
    Put,
    Request,
    Response,
    Update,
)
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.commits import Commits
from serverless_patterns_runtime.effects import Write
from serverless_patterns_runtime.errors import ConditionNotMet, UncommittableEffects
from serverless_patterns_runtime.testing import Table, answer, commit

from ..simulation import attribute_values as values
from ..simulation import dynamodb_model
from . import scripted_aws

A1 = {"order_id": "A-1"}
CLAIM = Claim("N", "k", "d")


def tables() -> dict[str, Table]:
    return {
        "ORDERS": Table(key=("order_id",)),
        "STOCK": Table(
            key=("product_id",),
            items=[
                {"product_id": 1, "on_hand": 5, "name": "Chai", "tags": {"tea"}, "at": {"shelf": "B", "n": 1}},
                {"product_id": 2, "on_hand": 0, "price": 0.1},
            ],
        ),
        "LINES": Table(key=("order_id", "line")),
    }


def a_commits(dynamodb: Any, tables: dict[str, str]) -> Commits:
    """What a deployed function commits by."""
    return Commits(
        dynamodb=dynamodb,
        table_name="claims",
        retention_seconds=100,
        tables=tables,
        clock=lambda: 1000,
        sleep=lambda _: None,
        random=random.Random(1),
    )


def stock(**changes: Any) -> dict[str, Any] | None:
    condition = changes.pop("condition", None)
    there = tables()
    commit(Effects(writes=[Update("STOCK", {"product_id": 1}, condition=condition, **changes)]), there)
    return there["STOCK"].get(product_id=1)


def test_all_writes_happen_and_the_result_comes_back():
    there = tables()
    effects = Effects(
        writes=[
            Put("ORDERS", A1 | {"status": "DONE"}, condition=Attr("order_id").not_exists()),
            Update("STOCK", {"product_id": 1}, add={"on_hand": -3}, condition=Attr("on_hand") >= 3),
            Check("STOCK", {"product_id": 2}, condition=Attr("on_hand") == 0),
            Delete("LINES", {"order_id": "A-1", "line": 1}),
        ],
        result={"ok": True},
    )
    assert commit(effects, there) == {"ok": True}
    assert there["ORDERS"].items == [{"order_id": "A-1", "status": "DONE"}]
    assert there["STOCK"].get(product_id=1)["on_hand"] == 2  # type: ignore[index]
    assert there["LINES"].items == []


@pytest.mark.parametrize("position", [0, 1, 2])
def test_no_write_happens_when_one_is_refused(position: int):
    there = tables()
    before = {name: table.items for name, table in there.items()}
    writes: list[Write] = [
        Put("ORDERS", A1),
        Update("STOCK", {"product_id": 1}, add={"on_hand": -1}),
    ]
    writes.insert(position, Check("STOCK", {"product_id": 2}, condition=Attr("on_hand") > 0))
    with pytest.raises(ConditionNotMet) as raised:
        commit(Effects(writes=writes), there)
    assert str(raised.value) == f"write {position + 1} (Check STOCK) was refused: its condition does not hold"
    assert {name: table.items for name, table in there.items()} == before


def test_a_refused_write_raises_what_it_says():
    class TryLater(Exception):
        pass

    later = TryLater("soon")
    check = Check("STOCK", {"product_id": 2}, condition=Attr("on_hand") > 0, otherwise=later)
    with pytest.raises(TryLater) as raised:
        commit(Effects(writes=[check]), tables())
    assert raised.value is later


def test_of_two_refused_writes_the_first_one_speaks():
    writes = [
        Check("STOCK", {"product_id": 2}, condition=Attr("on_hand") > number, otherwise=PermanentError(f"no {number}"))
        if number < 2
        else Check("STOCK", {"product_id": 1}, condition=Attr("on_hand") > 90, otherwise=PermanentError("no 90"))
        for number in (1, 2)
    ]
    with pytest.raises(PermanentError, match=r"^no 1$"):
        commit(Effects(writes=writes), tables())


def test_every_condition_sees_the_tables_as_they_were():
    there = tables()
    effects = Effects(
        writes=[Put("ORDERS", A1), Check("ORDERS", {"order_id": "A-2"}, condition=Attr("order_id").not_exists())]
    )
    commit(effects, there)
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects(writes=[Delete("ORDERS", A1), Check("ORDERS", A1, condition=Attr("x").exists())]), there)
    assert str(raised.value) == "write 2 is a second one on the same item of ORDERS"


@pytest.mark.parametrize("same", [1, 1.0, Decimal("1.00")])
def test_a_second_write_on_an_item_is_refused_however_its_key_is_written(same: object):
    writes = [Delete("STOCK", {"product_id": 1}), Delete("STOCK", {"product_id": same})]
    with pytest.raises(UncommittableEffects, match=r"^write 2 is a second one on the same item of STOCK$"):
        commit(Effects(writes=writes), tables())


def test_a_decimal_and_a_float_are_one_key():
    there = Table(key=("id",), items=[{"id": 0.1, "n": 1}])
    assert there.get(id=Decimal("0.10")) == {"id": 0.1, "n": 1}


def test_99_writes_fit_and_100_do_not():
    def writes(count: int) -> Effects:
        return Effects(writes=[Put("ORDERS", {"order_id": str(number)}) for number in range(count)])

    there = tables()
    commit(writes(99), there)
    assert len(there["ORDERS"].items) == 99
    with pytest.raises(UncommittableEffects) as raised:
        commit(writes(100), there)
    assert str(raised.value) == "effects hold at most 99 writes (DynamoDB's limit), got 100"


def test_a_table_that_is_not_there_is_named():
    effects = Effects(writes=[Put("ORDERS", A1, condition=Attr("order_id").exists()), Put("CUSTOMERS", A1)])
    with pytest.raises(UncommittableEffects) as refused:
        commit(effects, tables())
    assert refused.value.message == (
        "a Put names the table 'CUSTOMERS', which the handler does not have (it has: LINES, ORDERS, STOCK): "
        "add it to Handler(tables=...)"
    )
    there = {name: name.lower() for name in tables()}
    with pytest.raises(UncommittableEffects) as deployed:
        a_commits(scripted_aws.dynamodb(), there).commit(CLAIM, effects, lambda: 30)
    assert deployed.value == refused.value


def test_no_effects_at_all_are_nothing_to_do():
    assert commit(None, tables()) is None


# --- What an Update does


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"set": {"name": "Chang", "new": [1]}}, {"name": "Chang", "new": [1]}),
        ({"set": {"at.shelf": "C"}}, {"at": {"shelf": "C", "n": 1}}),
        ({"add": {"on_hand": -3}}, {"on_hand": 2}),
        ({"add": {"on_hand": 0.5}}, {"on_hand": Decimal("5.5")}),
        ({"add": {"fresh": 2}}, {"fresh": 2}),
        ({"add": {"at.n": 2}}, {"at": {"shelf": "B", "n": 3}}),
        ({"add": {"tags": {"hot"}}}, {"tags": {"tea", "hot"}}),
        ({"add": {"labels": {"hot"}}}, {"labels": {"hot"}}),
        ({"remove": ["absent"]}, {}),
        ({"remove": ["at.shelf"]}, {"at": {"n": 1}}),
        ({"set": {"a": 1}, "add": {"b": 2}, "remove": ["name"]}, {"a": 1, "b": 2, "name": None}),
    ],
)
def test_an_update_changes_what_it_names(changes: dict[str, Any], expected: dict[str, Any]):
    before = tables()["STOCK"].get(product_id=1) or {}
    wanted = {name: value for name, value in (before | expected).items() if value is not None}
    assert stock(**changes) == wanted


def test_numbers_keep_38_digits():
    there = {"T": Table(key=("id",), items=[{"id": 1, "n": Decimal("1" * 38)}])}
    commit(Effects(writes=[Update("T", {"id": 1}, add={"n": Decimal("1")})]), there)
    assert there["T"].items[0]["n"] == Decimal("1" * 37 + "2")


def test_an_update_of_nothing_makes_the_item():
    there = tables()
    commit(Effects(writes=[Update("STOCK", {"product_id": 9}, add={"on_hand": 4})]), there)
    assert there["STOCK"].get(product_id=9) == {"product_id": 9, "on_hand": 4}


PATH = "the path {!r} leads through {!r}, which is not a map in the item"
TYPE = "add to {!r} takes a number, or a set for a set of its kind"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"set": {"name.first": "x"}}, PATH.format("name.first", "name")),
        ({"set": {"absent.x": 1}}, PATH.format("absent.x", "absent")),
        ({"add": {"absent.x": 1}}, PATH.format("absent.x", "absent")),
        ({"remove": ["absent.x"]}, PATH.format("absent.x", "absent")),
        ({"add": {"name": 1}}, TYPE.format("name")),
        ({"add": {"name": "x"}}, TYPE.format("name")),
        ({"add": {"fresh": "x"}}, TYPE.format("fresh")),
        ({"add": {"fresh": ["x"]}}, TYPE.format("fresh")),
        ({"add": {"fresh": True}}, TYPE.format("fresh")),
        ({"add": {"on_hand": {1}}}, TYPE.format("on_hand")),
        ({"add": {"tags": 1}}, TYPE.format("tags")),
        ({"add": {"tags": {1}}}, TYPE.format("tags")),
        ({"set": {"product_id": 1}}, "an Update cannot change 'product_id': it is part of the key"),
        ({"remove": ["product_id"]}, "an Update cannot change 'product_id': it is part of the key"),
        ({"set": {"a": 1}, "remove": ["a"]}, "an Update names 'a' and 'a', of which one holds the other"),
        ({"set": {"at": {}}, "add": {"at.n": 1}}, "an Update names 'at' and 'at.n', of which one holds the other"),
        ({"set": {"x": object()}}, "DynamoDB has no type for a object"),
        ({"set": {"x": {1: 2}}}, "a map in DynamoDB has text for keys, got a key of type int"),
    ],
)
def test_an_update_that_dynamodb_would_refuse_is_refused_for_good(changes: dict[str, Any], message: str):
    with pytest.raises(UncommittableEffects) as raised:
        stock(**changes)
    assert str(raised.value) == message


def test_nothing_can_be_added_to_null():
    there = {"T": Table(key=["id"], items=[{"id": 1, "n": None}])}
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects([Update("T", {"id": 1}, add={"n": 1})]), there)
    assert str(raised.value) == "add to 'n' takes a number, or a set for a set of its kind"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (Put("LINES", {"order_id": "A-1"}), "the key attribute 'line' is missing"),
        (Delete("LINES", {"line": 1}), "the key attribute 'order_id' is missing"),
        (Delete("ORDERS", A1 | {"x": 1}), "the key of the table is 'order_id', got also 'x'"),
        (Put("ORDERS", {"order_id": ""}), "the key attribute 'order_id' is a text, number or bytes, and not empty"),
        (Put("ORDERS", {"order_id": None}), "the key attribute 'order_id' is a text, number or bytes, and not empty"),
        (Put("ORDERS", {"order_id": True}), "the key attribute 'order_id' is a text, number or bytes, and not empty"),
        (Put("ORDERS", {"order_id": ["a"]}), "the key attribute 'order_id' is a text, number or bytes, and not empty"),
        (Put("ORDERS", A1 | {"x": float("nan")}), "DynamoDB has no number for nan"),
    ],
)
def test_a_key_or_item_that_dynamodb_would_refuse_is_refused_for_good(write: Write, message: str):
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects(writes=[write]), tables())
    assert str(raised.value) == message


# --- Sizes

KEY_BYTES = len("order_id") + len("A-1") + len("x")
ITEM_BYTES = 400 * 1024


def nested(levels: int, innermost: Any = 0) -> Any:
    """A value of so many levels, maps and lists in turn; a number is one."""
    value = innermost
    for level in range(levels - 1):
        value = [value] if level % 2 else {"m": value}
    return value


@pytest.mark.parametrize("filler", ["y", "é", b"y"])
def test_an_item_of_400_kb_fits_and_one_byte_more_does_not(filler: Any):
    width = len(filler) if isinstance(filler, bytes) else len(filler.encode())
    room = ITEM_BYTES - KEY_BYTES
    there = tables()
    commit(Effects([Put("ORDERS", A1 | {"x": filler * (room // width)})]), there)
    more = Update("ORDERS", A1, set={"yy": "z" * (room % width)})  # two bytes of name
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects([more]), there)
    assert str(raised.value) == (
        "the item of write 1 (Update ORDERS) holds at most 400 KB (DynamoDB's limit), got about 409,602 bytes"
    )


def test_a_put_of_more_than_400_kb_is_refused():
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects([Check("STOCK", {"product_id": 1}, condition=Attr("on_hand") >= 1), large("A-1")]), tables())
    assert str(raised.value) == (
        "the item of write 2 (Put ORDERS) holds at most 400 KB (DynamoDB's limit), got about 409,601 bytes"
    )


def large(order_id: str, more: int = 1) -> Put:
    return Put("ORDERS", {"order_id": order_id, "x": "y" * (ITEM_BYTES - KEY_BYTES + more)})


def test_4_mb_of_items_fit_into_a_transaction_and_not_more():
    there = tables()
    full = [large(f"A-{number}", 0) for number in range(10)]
    rest = 4 * 1024 * 1024 - 10 * ITEM_BYTES
    last = Put("ORDERS", {"order_id": "A-x", "x": "y" * (rest - KEY_BYTES)})
    commit(Effects([*full, last]), there)
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects([*full, Put("ORDERS", {"order_id": "A-x", "x": "y" * (rest - KEY_BYTES + 1)})]), there)
    assert str(raised.value) == "effects hold at most 4 MB (DynamoDB's limit), got about 4,194,305 bytes"


def test_what_updates_leave_counts_whole():
    items = [large(f"A-{letter}", -len("z") - 2).item for letter in "abcdefghijk"]
    touches = [Update("ORDERS", {"order_id": item["order_id"]}, set={"z": 1}) for item in items]
    commit(Effects(touches[:10]), {"ORDERS": Table(key=["order_id"], items=items)})
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects(touches), {"ORDERS": Table(key=["order_id"], items=items)})
    assert str(raised.value) == "effects hold at most 4 MB (DynamoDB's limit), got about 4,505,600 bytes"


@pytest.mark.parametrize(
    "write",
    [
        lambda value: Put("ORDERS", A1 | {"x": value}),
        lambda value: Update("STOCK", {"product_id": 1}, set={"x": value}),
        lambda value: Update("STOCK", {"product_id": 1}, add={"on_hand": 1}, condition=Attr("x") != value),
        lambda value: Update("STOCK", {"product_id": 1}, set={"at.x": value["m"]}),
    ],
    ids=["put", "set", "condition", "set inside a map"],
)
def test_32_levels_fit_and_33_do_not(write: Any):
    commit(Effects([write(nested(32))]), tables())
    with pytest.raises(UncommittableEffects) as raised:
        commit(Effects([write({"m": nested(32)})]), tables())
    assert str(raised.value) == "values are nested at most 32 levels deep (DynamoDB's limit)"


def test_an_empty_list_is_a_level_like_any():
    commit(Effects([Put("ORDERS", A1 | {"x": nested(32, [])})]), tables())
    with pytest.raises(UncommittableEffects):
        commit(Effects([Put("ORDERS", A1 | {"x": nested(33, [])})]), tables())


# --- Copies


def test_tables_share_nothing_with_what_was_put_in_or_taken_out():
    lines = [{"n": 1}]
    there = {"T": Table(key=("id",), items=[{"id": 0, "lines": lines}])}
    effects = Effects(writes=[Put("T", {"id": 1, "lines": lines}), Update("T", {"id": 2}, set={"lines": lines})])
    commit(effects, there)
    lines[0]["n"] = 2
    there["T"].items[0]["lines"].append("x")
    (there["T"].get(id=1) or {})["lines"].append("x")
    assert [item["lines"] for item in there["T"].items] == [[{"n": 1}]] * 3


# --- The same as the deployed commit

ids = st.sampled_from([1, 2, 3])
names = st.sampled_from(["n", "s", "m", "m.x"])
plain = st.sampled_from([0, 1, -2, 0.5, Decimal("2.50"), "", "a", True, None, {"a"}, {1, 2}, {"x": 1}, [1]])
conditions = st.none() | st.sampled_from(
    [
        Attr("n") >= 1,
        Attr("n").exists(),
        Attr("id").not_exists(),
        Attr("m.x") == 1,
        Attr("s").contains("a") | (Attr("n") != 0),
        ~(Attr("n") == 0.5),
    ]
)
otherwise = st.none() | st.builds(PermanentError, st.sampled_from(["one", "two"]))
guards: dict[str, Any] = {"condition": conditions, "otherwise": otherwise}
writes = st.one_of(
    st.builds(
        lambda id, rest, **guard: Put("T", {"id": id} | rest, **guard),
        ids,
        st.dictionaries(st.sampled_from("nsm"), plain, max_size=2),
        **guards,
    ),
    st.builds(lambda id, **guard: Delete("T", {"id": id}, **guard), ids, **guards),
    st.builds(
        lambda id, condition, otherwise: Check("T", {"id": id}, condition=condition, otherwise=otherwise),
        ids,
        conditions.filter(lambda condition: condition is not None),
        otherwise,
    ),
    st.builds(
        lambda id, changes, **guard: Update("T", {"id": id}, **changes, **guard),
        ids,
        st.fixed_dictionaries(
            {},
            optional={
                "set": st.dictionaries(names, plain, min_size=1, max_size=2),
                "add": st.dictionaries(names, st.sampled_from([1, -1, 0.5, {"b"}, {1}, "x"]), min_size=1, max_size=1),
                "remove": st.lists(names, min_size=1, max_size=1),
            },
        ).filter(bool),
        **guards,
    ),
)


def deployed(effects: Effects, items: list[dict[str, Any]]) -> tuple[list[Any], Exception | None, bool]:
    """The items afterwards, what the commit of a deployed function raised, and whether a write was invalid as such."""
    model = dynamodb_model.DynamoDB(
        {"claims": dynamodb_model.Table({"claim": "S"}), "physical": dynamodb_model.Table({"id": "N"})}, lambda: 1000
    )
    for item in items:
        model.put_item(TableName="physical", Item=serialize_item(item))
    client = scripted_aws.dynamodb()
    invalid: list[dict[str, Any]] = []

    def transact(request: dict[str, Any]) -> Any:
        try:
            return model.transact_write_items(**request)
        except dynamodb_model.ServiceError as refused:
            reasons = refused.fields.get("CancellationReasons", [{"Code": "ValidationError"}])
            invalid.extend(reason for reason in reasons if reason["Code"] == "ValidationError")
            return scripted_aws.error("TransactWriteItems", refused.code, refused.message, **refused.fields)

    client.always("TransactWriteItems", transact)
    error = None
    try:
        a_commits(client, {"T": "physical"}).commit(CLAIM, effects, lambda: 30)
    except PermanentError as raised:
        error = raised
    return list(model.tables["physical"].items.values()), error, bool(invalid)


def normalized(items: list[dict[str, Any]]) -> list[Any]:
    return [values.normalized({"M": serialize_item(item)}) for item in items]


def by_id(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: item["M"]["id"]["N"])


@settings(max_examples=300)
@given(
    st.lists(writes, min_size=1, max_size=3),
    st.dictionaries(ids, st.dictionaries(st.sampled_from("nsm"), plain, max_size=3), max_size=2),
)
def test_a_commit_in_a_unit_test_ends_as_the_deployed_one_does(writes: list[Write], rows: dict[int, dict[str, Any]]):
    items = [{"id": id} | row for id, row in rows.items()]
    effects = Effects(writes=writes, result="done")
    after, error, invalid = deployed(copy.deepcopy(effects), items)
    there = {"T": Table(key=("id",), items=items)}
    raised = None
    try:
        assert commit(effects, there) == "done"
    except PermanentError as caught:
        raised = caught
    assert by_id(normalized(there["T"].items)) == by_id([{"M": item} for item in after])
    assert (raised is None) == (error is None)
    # Which one speaks when a write is invalid and a condition does not hold is not promised.
    assert raised == error or invalid or isinstance(error, UncommittableEffects)


# What a deployed function would answer.


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"a": {1}}, "the result has no JSON: a value of type set, at /a: answer a list"),
        (Response(200, {"a": object()}), "the result has no JSON: a value of type object, at /a"),
        (Response(503), "the function returned Effects and the status 503: raise an error instead"),
        ("x" * 400_000, "an answer under an idempotency key holds at most 300 KB"),
    ],
)
def test_a_result_that_could_not_be_answered_commits_nothing(result: Any, message: str):
    there = tables()
    with pytest.raises(UnusableResult, match="^" + re.escape(message)):
        commit(Effects([Put("ORDERS", A1)], result=result), there)
    assert there["ORDERS"].items == []


@pytest.mark.parametrize("result", [{"a": 1}, [], "text", Response(201)])
def test_what_is_no_effects_is_named(result: Any):
    with pytest.raises(TypeError, match=f"takes the Effects that a function returned, got {type(result).__name__}: "):
        commit(result, tables())


def test_an_answer_is_what_the_client_of_a_route_would_get():
    def show(request: Request) -> Any:
        return results[request.params["id"]]

    results = {
        "json": {"a": Decimal("1.5")},
        "none": None,
        "text": Response(200, "<p>", headers={"Content-Type": "text/html"}),
        "bytes": Response(200, b"\x89", headers={"Content-Type": "image/png"}),
    }
    given = {name: answer(show, Request.fake(params={"id": name})) for name in results}
    assert given["json"] == (200, {"a": 1.5}, {"Content-Type": ("application/json",)}, None)
    assert given["none"] == (204, None, {}, None)
    assert (given["text"].body, given["bytes"].body) == ("<p>", b"\x89")


def test_an_answer_shows_what_an_error_tells_the_client_and_the_test():
    def refuse(_: Request, invocation: Invocation) -> None:
        raise PermanentError(f"no such order for {invocation.idempotency_key}", status=404)

    refused = answer(refuse, Request.fake())
    assert (refused.status, refused.body["detail"]) == (404, "no such order for key-1")
    failed = answer(lambda _: {"a": {1}}, Request.fake())
    assert (failed.status, "detail" in failed.body, type(failed.error)) == (500, False, UnusableResult)


def test_an_answer_of_effects_is_their_result_and_wants_the_annotation_that_synth_wants():
    def pay(_: Request) -> Effects | None:
        return Effects([Put("ORDERS", A1)], result=Response(201, {"id": 1}))

    def unsaid(request: Request):
        return pay(request)

    assert answer(pay, Request.fake())[:2] == (201, {"id": 1})
    assert "annotate it '-> Effects'" in str(answer(unsaid, Request.fake()).error)
