from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.sink import RowKey
from serverless_patterns_runtime.cqrs_views.views import UnusableRows, View
from serverless_patterns_runtime.errors import PermanentError

ORDER = Aggregate("o-1", 3, {"order_id": "o-1"})


def view(made: Any, sort: str | None = "line", *, numbers: bool = False) -> View:
    return View("Lines", "rows", lambda _: made, "customer", sort, None, numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"customer": "ada", "line": "a"}, RowKey("ada", "a")),
        ({"customer": 7, "line": 3}, RowKey("7", 3)),
        ({"customer": Decimal("7.0"), "line": Decimal("1.5")}, RowKey("7", Decimal("1.5"))),
        ({"customer": "ada", "line": 1.5}, RowKey("ada", Decimal("1.5"))),
    ],
)
def test_a_row_is_known_by_its_keys(row: dict[str, Any], key: RowKey) -> None:
    assert view([row], numbers=not isinstance(key.sort, str)).rows(ORDER) == {key: row}


@pytest.mark.parametrize(("numbers", "sort"), [(False, 5), (False, Decimal("1.5")), (True, "5")])
def test_a_sort_key_is_of_the_kind_that_the_view_has(numbers: bool, sort: Any) -> None:
    with pytest.raises(UnusableRows, match=r"'line' is (a number|text), as the view's sort_key_type says"):
        view([{"customer": "ada", "line": sort}], numbers=numbers).rows(ORDER)


@pytest.mark.parametrize("name", ["pk", "sk", "_row", "expires_at"])
def test_a_row_has_no_name_that_is_the_view_s_own(name: str) -> None:
    with pytest.raises(UnusableRows, match=f"may not have the names {name}"):
        view([{"customer": "ada", "line": "a", name: 1}]).rows(ORDER)


@pytest.mark.parametrize(
    "made",
    [
        None,
        {"customer": "ada", "line": "a"},
        ["row"],
        [{"customer": "ada"}],
        [{"line": "secret"}],
        [{"customer": "", "line": "secret"}],
        [{"customer": "secret" * 400, "line": "a"}],
        [{"customer": 1.5, "line": "secret"}],
        [{"customer": True, "line": "secret"}],
        [{"customer": Decimal("NaN"), "line": "secret"}],
        [{"customer": "ada", "line": ""}],
        [{"customer": "ada", "line": None}],
        [{"customer": "ada", "line": "secret" * 200}],
        [{"customer": "ada", "line": float("inf")}],
        [{"customer": "ada", "line": "secret", "n": n} for n in (1, 2)],
    ],
    ids=str,
)
def test_what_is_no_row_is_refused_in_words_that_quote_nothing(made: Any) -> None:
    with pytest.raises(UnusableRows) as raised:
        view(made).rows(ORDER)
    assert "Lines" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "made",
    [
        [],
        {1: {"sold": 1}},
        {"": {"sold": 1}},
        {"a": 1},
        {"a": {"": 1}},
        {"a": {"pk": 1}},
        {"a": {"_row": 1}},
        {"a": {"sold": 1.5}},
        {"a": {"sold": True}},
        {"a": {"sold": "1"}},
    ],
    ids=str,
)
def test_what_is_no_amount_is_refused(made: Any) -> None:
    with pytest.raises(UnusableRows):
        view(made).amounts(ORDER)


def test_amounts_of_nothing_are_no_amounts() -> None:
    assert view({"a": {"sold": 0, "returned": 2}, "b": {"sold": Decimal(0)}}).amounts(ORDER) == {"a": {"returned": 2}}


def test_a_function_that_has_not_run_is_told_to_be_an_ordinary_one() -> None:
    with pytest.raises(PermanentError, match="ordinary"):
        view(row for row in ()).rows(ORDER)


@pytest.mark.parametrize("aggregate", [None, Aggregate("o-1", 3, None), Aggregate("o-1", None, {"order_id": "o-1"})])
def test_what_is_gone_or_has_no_version_has_no_rows(aggregate: Aggregate | None) -> None:
    assert view([{"customer": "ada", "line": "a"}]).rows(aggregate) == {}
    assert view({"a": {"sold": 1}}).amounts(aggregate) == {}


def test_binary_of_a_record_is_read_as_bytes() -> None:
    said = {"b": {"B": "AQI="}, "set": {"BS": ["AQI="]}, "in": {"M": {"l": {"L": [{"B": "AQI="}, {"N": "1"}]}}}}
    _, new = Change("o-1", None, said, 0.0).images()
    assert new == {
        "b": {"B": b"\x01\x02"},
        "set": {"BS": [b"\x01\x02"]},
        "in": {"M": {"l": {"L": [{"B": b"\x01\x02"}, {"N": "1"}]}}},
    }
