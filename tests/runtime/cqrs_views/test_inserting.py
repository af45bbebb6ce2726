"""New rows go 25 to a request; whatever is not new is written as ever."""

import pytest

from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.inserting import InsertingSink
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, Unstorable

from .modelled import refused
from .shop import AtOnce, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def sink(shop: Shop) -> InsertingSink:
    return InsertingSink(DynamoDbSink(shop.client, "rows", True, AtOnce(), lambda: shop.now))


def row(number: int, version: int = 1, source: str = "o-1", **more: object) -> RowChange:
    key = RowKey("ada", f"o-{number}")
    return RowChange(key, version, source, {"customer": "ada", "order": key.sort, "version": version, **more})


def test_new_rows_are_one_request_for_twenty_five(shop: Shop, sink: InsertingSink) -> None:
    assert sink.write(1, [row(number) for number in range(60)]) == []
    assert shop.client.operations == ["BatchExecuteStatement"] * 3
    assert len(shop.rows()) == 60
    assert shop.rows()["ada", "o-7"] == {"customer": "ada", "order": "o-7", "version": 1}


def test_of_a_row_that_is_there_the_highest_version_wins(shop: Shop, sink: InsertingSink) -> None:
    sink.write(1, [row(1, 5), row(2, 5)])
    assert sink.write(1, [row(1, 4), row(2, 6), row(3, 1)]) == []
    assert {key[1]: said["version"] for key, said in shop.rows().items()} == {"o-1": 5, "o-2": 6, "o-3": 1}


def test_a_row_of_another_aggregate_is_contested(sink: InsertingSink) -> None:
    sink.write(1, [row(1)])
    (contested,) = sink.write(1, [row(1, 9, "o-2"), row(2, 9, "o-2")])
    assert (contested.change.key.sort, contested.found.source) == ("o-1", "o-1")


def test_two_rows_with_one_key_in_a_batch_are_written_one_by_one(shop: Shop, sink: InsertingSink) -> None:
    (contested,) = sink.write(1, [row(1), row(1, 1, "o-2"), row(2)])
    assert contested.change.source == "o-2"
    assert len(shop.rows()) == 2


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_where_no_statement_is_taken_rows_are_written_one_by_one(code: str, shop: Shop, sink: InsertingSink) -> None:
    def meet(operation: str, arguments: dict[str, object]) -> None:  # noqa: ARG001
        if operation == "BatchExecuteStatement":
            raise refused(code)

    shop.client.meets = meet
    assert sink.write(1, [row(1), row(2)]) == []
    assert len(shop.rows()) == 2


def test_names_may_have_quotes_and_a_row_that_cannot_be_stored_is_the_sink_s_to_refuse(
    shop: Shop, sink: InsertingSink
) -> None:
    sink.write(1, [row(1, 1, "o-1", **{"o'clock": 3})])
    assert shop.rows()["ada", "o-1"]["o'clock"] == 3
    with pytest.raises(Unstorable):
        sink.write(1, [row(2, 1, "o-1", pk="mine"), row(3)])
    assert ("ada", "o-3") in shop.rows()
