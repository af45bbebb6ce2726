import itertools
import json
import random
from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.projector import PARK_AFTER_SECONDS
from serverless_patterns_runtime.cqrs_views.sink import Unstorable
from serverless_patterns_runtime.cqrs_views.statements import Contribution

from .modelled import refused
from .shop import ORDERS, REVENUE, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_views_are_what_their_functions_say_of_each_aggregate(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a", "b"])
    shop.put("o-2", 1, "bob", ["b"])
    assert shop.project() == []
    assert shop.rows().keys() == {("ada", "o-1/a"), ("ada", "o-1/b"), ("bob", "o-2/b")}
    assert shop.rows()["bob", "o-2/b"] == {"customer": "bob", "order": "o-2/b", "status": "open"}
    assert shop.totals() == {
        "a": {"revenue": Decimal("2.5"), "sold": 1},
        "b": {"revenue": 5, "sold": 2},
    }


def history(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a", "b"])
    shop.put("o-1", 2, "ada", ["b", "c"])
    shop.put("o-1", 3, "bob", ["b"])
    shop.put("o-2", 1, "ada", ["a"])
    shop.delete("o-2", 2)
    shop.put("o-2", 3, "eve", ["c"])


EXPECTED = {("bob", "o-1/b"), ("eve", "o-2/c")}


@pytest.mark.parametrize("seed", range(40))
def test_records_may_come_in_any_order_and_often(seed: int) -> None:
    shop, chance = Shop(), random.Random(seed)
    history(shop)
    records = [record for record in shop.records for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(records)
    while records:
        size = chance.randint(1, len(records))
        assert shop.project(records[:size]) == []
        records = records[size:]
    assert shop.rows().keys() == EXPECTED
    assert shop.totals() == {"b": {"revenue": Decimal("2.5"), "sold": 1}, "c": {"revenue": Decimal("2.5"), "sold": 1}}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_is_gone_stays_gone(order: tuple[int, ...], shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-1", 2, "ada", ["a", "b"])
    shop.remove("o-1")
    for number in order:
        shop.project([shop.records[number]])
    shop.project(shop.records[:1])
    assert shop.rows() == {}
    assert shop.totals() == {}


def test_one_request_is_made_for_each_changed_row_and_one_for_the_generations(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a", "b"])
    shop.project()
    shop.client.calls.clear()
    shop.put("o-1", 2, "ada", ["b", "c"])
    shop.put("o-1", 3, "ada", ["b", "c"], note="nobody shows it")
    shop.project(shop.records[1:])
    assert sorted(shop.client.operations) == ["BatchGetItem", "PutItem", "PutItem", "TransactWriteItems"]


def test_a_state_that_the_function_refuses_is_parked_at_once_and_the_others_go_on(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"], bad=True)
    shop.put("o-2", 1, "bob", ["b"])
    assert shop.project() == []
    assert shop.rows().keys() == {("bob", "o-2/b")}
    assert shop.reasons() == [(ORDERS, "refused"), (REVENUE, "refused")]
    said = json.loads(shop.s3.objects["parked"][shop.parked()[0]])
    assert (said["key"], said["version"], said["old"]) == ("o-1", 1, None)
    assert said["new"]["bad"] == {"BOOL": True}
    assert shop.log.counted[contract.METRIC_PARKED] == 2
    assert "no such order" not in json.dumps([extra for _, extra in shop.log.lines], default=str)


def test_what_follows_a_refused_state_is_projected_and_a_retry_takes_away_what_it_left(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-1", 2, "ada", ["b"], bad=True)
    shop.put("o-1", 3, "ada", ["c"])
    assert shop.project() == []
    assert shop.rows().keys() == {("ada", "o-1/a"), ("ada", "o-1/c")}
    assert shop.reasons() == [(ORDERS, "refused"), (ORDERS, "refused"), (REVENUE, "refused")]
    assert shop.totals().keys() == {"c"}
    shop.retry()
    assert shop.rows().keys() == {("ada", "o-1/c")}, "what it can say it does"
    assert [name.rpartition("/")[2] for name in shop.parked()] == ["3.json"], "what version 2 said is not known"
    assert shop.retry()["left"] == shop.parked()
    mend(shop, monkeypatch)
    assert shop.retry()["left"] == []
    assert shop.parked() == []
    assert shop.rows().keys() == {("ada", "o-1/c")}


def test_a_change_whose_new_state_is_refused_is_done_once_a_later_version_is_there(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-1", 2, "ada", ["b"], bad=True)
    assert shop.project() == []
    assert shop.retry()["left"] == shop.parked() != [], "the state is the one that is refused"
    shop.put("o-1", 3, "ada", ["c"])
    assert shop.retry()["left"] == []
    assert shop.rows().keys() == {("ada", "o-1/c")}


def test_a_generation_that_began_later_has_nothing_of_what_is_refused(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"], bad=True)
    shop.put("o-1", 2, "ada", ["b"])
    shop.project()
    shop.retry()
    (name,) = shop.parked()
    shop.now += contract.CHECKED_SECONDS + 60
    for generations in ({"live": 1, "building": 2}, {"live": 2}):
        assert shop.retry()["left"] == [name], "the one that is read has it perhaps"
        at = {"1": 0, "2": int(shop.now * 1000)}
        item = {"item": f"view/{ORDERS}", "started_at": at, **generations}
        shop.service.put_item(TableName="control", Item=serialize_item(item))
    assert shop.retry()["left"] == []
    assert shop.rows(2).keys() == {("ada", "o-1/b")}


def test_what_was_refused_and_then_removed_past_the_commands_is_done_with_the_next_generation(shop: Shop) -> None:
    """As who mends it by deleting the item does: its first change has nothing to say any more, and its removal nothing
    that a generation could have that began later."""
    shop.put("o-1", 1, "ada", ["a"], bad=True)
    shop.project()
    shop.remove("o-1")
    shop.project(shop.records[1:])
    rows = [name for name in shop.parked() if ORDERS in name]
    assert len(rows) == 2
    shop.retry()
    (removal,) = shop.parked()
    assert removal == rows[1]
    shop.now += contract.CHECKED_SECONDS + 60
    shop.point(ORDERS, live=2, started_at=shop.now)
    assert shop.retry()["left"] == []


def test_what_was_there_before_a_refused_change_goes_with_it_once_the_aggregate_is_gone(shop: Shop) -> None:
    """Nothing else names it: what removed the aggregate has the state after it as its old image."""
    shop.put("o-1", 1, "ada", ["a", "b"])
    shop.put("o-1", 2, "ada", ["a"], bad=True)
    shop.put("o-1", 3, "ada", ["a"])
    shop.remove("o-1")
    shop.project()
    assert shop.rows().keys() == {("ada", "o-1/b")}, "what version 2 took away nobody knows yet"
    shop.retry()
    assert shop.rows() == {}


def mend(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the functions no longer refused anything."""
    views = dict(shop.projection.projector.views)
    for name, view in views.items():
        views[name] = view._replace(call=lambda order, call=view.call: call({**order, "bad": False}))
    projector = shop.projection.projector._replace(views=views)
    monkeypatch.setattr(shop, "projection", shop.projection._replace(projector=projector))


def test_unchanged_rows_of_a_refused_change_come_with_its_retry(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("o-1", 1, "ada", ["a"], bad=True)
    shop.project()
    shop.put("o-1", 2, "ada", ["a"])
    shop.project()
    shop.put("o-1", 3, "ada", ["a", "b"])
    shop.project()
    mend(shop, monkeypatch)
    assert shop.retry()["left"] == []
    assert shop.rows().keys() == {("ada", "o-1/a"), ("ada", "o-1/b")}


def unavailable(operation: str, arguments: dict[str, Any]) -> None:
    if operation == "PutItem" and arguments["Item"]["pk"]["S"] == "1#ada":
        raise refused("ThrottlingException")


def test_what_the_sink_does_not_take_comes_again_from_there_on(shop: Shop) -> None:
    shop.put("o-1", 1, "bob", ["a"])
    shop.put("o-2", 1, "ada", ["a"])
    shop.put("o-3", 1, "bob", ["a"])
    shop.client.meets = unavailable
    assert shop.project() == [shop.records[1]["dynamodb"]["SequenceNumber"]]
    assert shop.rows().keys() == {("bob", "o-1/a"), ("bob", "o-3/a")}
    assert shop.parked() == []
    shop.client.meets = lambda *_: None
    assert shop.project(shop.records[1:]) == []
    assert shop.rows().keys() == {("bob", "o-1/a"), ("ada", "o-2/a"), ("bob", "o-3/a")}


def test_what_the_sink_does_not_take_for_too_long_is_parked(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.client.meets = unavailable
    shop.now += PARK_AFTER_SECONDS + 2
    assert shop.project() == []
    assert shop.reasons() == [(ORDERS, "unavailable")]
    assert shop.retry()["left"] == shop.parked()
    shop.client.meets = lambda *_: None
    assert shop.retry()["left"] == []
    assert shop.rows().keys() == {("ada", "o-1/a")}


def test_what_cannot_be_parked_comes_again(shop: Shop) -> None:
    def meets(operation: str, arguments: dict[str, Any]) -> None:  # noqa: ARG001
        raise refused("SlowDown")

    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-2", 1, "ada", ["a"], bad=True)
    shop.bucket.meets = meets
    assert shop.project() == [shop.records[1]["dynamodb"]["SequenceNumber"]]


def test_the_batch_comes_again_when_nobody_says_which_generations_there_are(shop: Shop) -> None:
    def meets(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "BatchGetItem" and "control" in arguments["RequestItems"]:
            raise refused("InternalServerError")

    shop.put("o-1", 1, "ada", ["a"])
    shop.client.meets = meets
    assert shop.project() == [shop.records[0]["dynamodb"]["SequenceNumber"]]


def test_changes_go_to_the_generation_that_is_built_too(shop: Shop) -> None:
    shop.point(ORDERS, live=1, building=2, started_at=shop.now)
    shop.put("o-1", 1, "ada", ["a"])
    shop.project()
    assert shop.rows(1) == shop.rows(2) != {}
    assert shop.totals(2) == {}


def test_a_generation_gets_what_comes_after_it_began_from_an_environment_that_is_warm(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.project()
    shop.point(ORDERS, live=1, building=2, started_at=shop.now)
    shop.put("o-2", 1, "ada", ["a"])
    shop.project(shop.records[1:])
    assert shop.rows(2).keys() == {("ada", "o-2/a")}


def test_a_late_duplicate_brings_nothing_back_into_a_new_generation(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-1", 2, "ada", ["b"])
    shop.project()
    shop.now += 60
    shop.point(ORDERS, live=1, building=2, started_at=shop.now)
    shop.project(shop.records[:1], by=shop.new_projection())
    assert shop.rows(2).keys() == {("ada", "o-1/b")}


def test_a_view_that_was_never_built_gets_nothing() -> None:
    shop = Shop(live=None)
    shop.put("o-1", 1, "ada", ["a"])
    assert shop.project() == []
    assert shop.rows(1) == shop.rows(0) == {}
    assert shop.marked == []


def test_a_view_that_had_no_generation_gets_its_first_one_as_soon_as_it_is_begun() -> None:
    shop = Shop(live=None)
    shop.put("o-1", 1, "ada", ["a"])
    shop.project()
    shop.point(ORDERS, building=1, started_at=shop.now)
    shop.put("o-1", 2, "ada", ["b"])
    assert shop.project(shop.records[1:]) == []
    assert shop.rows(1).keys() == {("ada", "o-1/b")}


def test_documents_hear_of_the_views_that_changed_after_they_have(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.project()
    shop.put("o-1", 2, "ada", ["a"], status="paid")
    shop.project(shop.records[1:])
    shop.project(shop.records[1:])
    assert shop.marked == [{ORDERS, REVENUE}, {ORDERS}, {ORDERS}]


def test_what_was_changed_without_a_version_is_parked_until_another_version_follows(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-1", 1, "ada", ["b"])
    assert shop.project() == []
    assert shop.rows().keys() == {("ada", "o-1/a")}
    assert shop.reasons() == [(ORDERS, "unversioned"), (REVENUE, "unversioned")]
    assert shop.retry()["left"] == shop.parked()
    shop.put("o-1", 2, "ada", ["b"])
    shop.project(shop.records[2:])
    assert shop.retry()["left"] == []
    assert shop.rows().keys() == {("ada", "o-1/b")}


def test_an_item_without_a_version_has_no_rows_and_gets_them_with_its_version(shop: Shop) -> None:
    shop.put("o-1", None, "ada", ["a"])
    assert shop.project() == []
    assert shop.rows() == {}
    assert shop.log.counted[contract.METRIC_UNVERSIONED] == 1
    shop.put("o-1", 5, "ada", ["a"])
    assert shop.project(shop.records[1:]) == []
    assert shop.rows().keys() == {("ada", "o-1/a")}
    shop.put("o-1", None, "ada", ["b"])
    assert shop.project(shop.records[2:]) == []
    assert shop.rows() == {}


def test_a_state_of_a_later_schema_is_parked_as_unreadable(shop: Shop) -> None:
    shop.put("o-1", None, "ada", ["a"], _aggregate={"version": 1, "schema": 2})
    assert shop.project() == []
    assert shop.reasons() == [(ORDERS, "unreadable"), (REVENUE, "unreadable")]


def test_time_to_live_is_told_from_users(shop: Shop) -> None:
    for number in range(6):
        shop.put(f"o-{number}", 1, "ada", ["a"])
    shop.delete("o-5", 2)
    for number in range(5):
        shop.remove(f"o-{number}")
    for record in shop.records[8:10]:
        record["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    shop.put("o-6", None)
    shop.project()
    assert shop.rows() == {}
    (said,) = [extra for text, extra in shop.log.lines if text == "projected"]
    assert (said["removed_by_time_to_live"], said["removed_by_user"]) == (2, 3)
    kinds = (contract.METRIC_EXPIRED, contract.METRIC_REMOVED, contract.METRIC_UNVERSIONED)
    assert [shop.log.counted[kind] for kind in kinds] == [2, 3, 1]
    shop.log.counted.clear()
    shop.project(by=shop.projection._replace(counts=False))
    assert shop.log.counted.keys() == {contract.METRIC_LAG}, "another projector of the same table has counted them"


def test_the_lag_is_that_of_the_oldest_change(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.now += 7
    shop.put("o-2", 1, "ada", ["a"])
    shop.project()
    assert shop.log.counted[contract.METRIC_LAG] == 7


def test_what_lambda_has_given_up_is_projected_from_its_own_object(shop: Shop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-2", 1, "ada", ["a"], bad=True)
    name = contract.UNDELIVERED_PREFIX + "mapping/shard/2026/11/22/1.json"
    said = {"requestContext": {}, "payload": json.dumps({"Records": shop.records})}
    shop.s3.objects["parked"][name] = json.dumps(said).encode()
    assert shop.retry() == {"done": [name], "left": []}
    assert shop.rows().keys() == {("ada", "o-1/a")}
    assert shop.reasons() == [(ORDERS, "refused"), (REVENUE, "refused")]


def test_a_row_passes_from_one_aggregate_to_another_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for order in itertools.permutations(range(3)):
        shop = Shop()
        share(shop, monkeypatch)
        shop.put("o-1", 1, "ada", ["mail"])
        shop.put("o-1", 2, "ada", [])
        shop.put("o-2", 7, "ada", ["mail"], status="new")
        for number in order:
            shop.project([shop.records[number]])
        if shop.parked():
            assert shop.reasons() == [(ORDERS, "contested")]
            assert shop.retry()["left"] == []
        assert shop.rows() == {("ada", "mail"): {"customer": "ada", "order": "mail", "status": "new"}}
        shop.project(shop.records)
        assert shop.rows().keys() == {("ada", "mail")}
        assert shop.parked() == []


def share(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are named by their lines alone: two orders may have the same one."""
    views = dict(shop.projection.projector.views)
    own = views[ORDERS].call
    views[ORDERS] = views[ORDERS]._replace(
        call=lambda order: [row | {"order": row["order"].partition("/")[2]} for row in own(order)]
    )
    projector = shop.projection.projector._replace(views=views)
    monkeypatch.setattr(shop, "projection", shop.projection._replace(projector=projector))


def test_a_row_that_two_have_is_parked_until_one_lets_go(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    share(shop, monkeypatch)
    shop.put("o-1", 1, "ada", ["mail"])
    shop.put("o-2", 1, "ada", ["mail"])
    shop.project([shop.records[0]])
    shop.project([shop.records[1]])
    assert shop.reasons() == [(ORDERS, "contested")]
    assert shop.retry()["left"] == shop.parked()
    shop.delete("o-1", 2)
    shop.project(shop.records[2:])
    assert shop.retry()["left"] == []
    ((_, row),) = [(row.source, row.row) for row in shop.stored() if row.row is not None]
    assert row["order"] == "mail"


def test_no_function_sees_what_another_did_to_its_argument(shop: Shop) -> None:
    def spoils(order: dict[str, Any]) -> list[dict[str, Any]]:
        order["lines"].clear()
        return []

    views = dict(shop.projection.projector.views)
    views[ORDERS] = views[ORDERS]._replace(call=spoils)
    shop.projection = shop.projection._replace(projector=shop.projection.projector._replace(views=views))
    shop.put("o-1", 1, "ada", ["a"])
    shop.project()
    assert shop.totals().keys() == {"a"}


@pytest.mark.parametrize("removed", [False, True])
def test_an_item_that_somebody_put_back_as_it_was_is_parked_until_its_version_is_later_than_ever(
    shop: Shop,
    removed: bool,
) -> None:
    shop.put("o-1", 8, "ada", ["a", "b"])
    shop.put("o-1", 9, "ada", ["b", "c"])
    shop.put("o-1", 5, "ada", ["a"])  # from a backup, with its version
    shop.put("o-1", 6, "ada", ["a", "d"])
    shop.project()
    shop.retry()
    assert (ORDERS, "unversioned") in shop.reasons(), "later than the one that was put back is not late enough"
    if removed:
        shop.remove("o-1")
    else:
        for version in (7, 8, 9, 10):
            shop.put("o-1", version, "ada", ["a", "d"])
    shop.project(shop.records[4:])
    shop.retry()
    assert shop.parked() == []
    assert shop.rows().keys() == (set() if removed else {("ada", "o-1/a"), ("ada", "o-1/d")})
    assert shop.totals().keys() == (set() if removed else {"a", "d"})


def groups(first: int, count: int) -> list[str]:
    return [f"g-{number}" for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("most", "before", "after"),
    [(99, groups(0, 60), groups(60, 60)), (4, [], groups(0, 10)), (4, groups(0, 10), []), (4, ["a"], groups(0, 4))],
)
@pytest.mark.parametrize("dies_at", [0, 1, 2, 3])
def test_a_change_of_more_groups_than_a_transaction_takes_is_made_in_steps(
    shop: Shop, most: int, before: list[str], after: list[str], dies_at: int
) -> None:
    """Whichever of them is the last of its function, whoever comes next goes on from there."""
    transactions = 0

    def meets(operation: str, arguments: dict[str, Any]) -> None:
        nonlocal transactions
        transactions += operation == "TransactWriteItems"
        if operation == "TransactWriteItems" and transactions == dies_at:
            raise refused("ThrottlingException")
        assert len(arguments.get("TransactItems", ())) <= most + 1

    in_steps_of(shop, most)
    shop.put("o-1", 1, "ada", before)
    shop.project()
    shop.records.clear()
    shop.client.meets = meets
    shop.put("o-1", 2, "ada", after)
    shop.project()
    assert transactions > 1
    assert shop.totals() == {line: {"revenue": 2.5, "sold": 1} for line in after}
    assert shop.parked() == []


def in_steps_of(shop: Shop, most: int) -> None:
    views: Any = dict(shop.projection.projector.views)
    views[REVENUE] = views[REVENUE]._replace(store=views[REVENUE].store._replace(most_groups=most))
    shop.projection = shop.projection._replace(projector=shop.projection.projector._replace(views=views))


def test_who_asks_for_a_version_waits_while_it_is_counted_in_steps(shop: Shop) -> None:
    """What is between two versions counts as the one before."""
    in_steps_of(shop, 4)
    shop.put("o-1", 1, "ada", groups(0, 3))
    shop.project()
    shop.records.clear()
    fails = False

    def meets(operation: str, arguments: dict[str, Any]) -> None:  # noqa: ARG001
        nonlocal fails
        if operation == "TransactWriteItems" and fails:
            raise refused("ThrottlingException")
        fails = fails or operation == "TransactWriteItems"

    shop.client.meets = meets
    shop.put("o-1", 7, "ada", groups(3, 3))
    shop.project()
    totals: Any = shop.projection.projector.views[REVENUE].store
    kept = totals.read(1, "o-1")
    assert (kept.version, list(kept.amounts)) == (6, ["g-3"])
    assert list(shop.totals()) == ["g-3"]


def test_more_groups_than_an_item_holds_are_refused_before_any_is_counted(shop: Shop) -> None:
    totals: Any = shop.projection.projector.views[REVENUE].store
    with pytest.raises(Unstorable, match="a contribution holds at most 400 KB"):
        totals.write(1, Contribution("o-1", 5, None, {f"{number:01900}": {"sold": 1} for number in range(220)}))
    assert "TransactWriteItems" not in shop.client.operations
