import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Attr, Check, Delete, PermanentError, Put, Update
from serverless_patterns_runtime.conditions import Condition
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.expressions import Placeholders, condition_expression, transaction_item

from . import scripted_aws


def expression(condition: Condition) -> tuple[str, dict[str, str], dict[str, Any]]:
    placeholders = Placeholders()
    return condition_expression(condition, placeholders), placeholders.names, placeholders.values


A, B, C = Attr("a") == 1, Attr("b") == 2, Attr("c").exists()


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Attr("a") == 1, "#n0 = :v0"),
        (Attr("a") != 1, "#n0 <> :v0"),
        (Attr("a") < 1, "#n0 < :v0"),
        (Attr("a") <= 1, "#n0 <= :v0"),
        (Attr("a") > 1, "#n0 > :v0"),
        (Attr("a") >= 1, "#n0 >= :v0"),
        (Attr("a") == Attr("b"), "#n0 = #n1"),
        (Attr("a").exists(), "attribute_exists(#n0)"),
        (Attr("a").not_exists(), "attribute_not_exists(#n0)"),
        (Attr("a").begins_with("x"), "begins_with(#n0, :v0)"),
        (Attr("a").contains("x"), "contains(#n0, :v0)"),
        (Attr("a").between(1, 2), "#n0 BETWEEN :v0 AND :v1"),
        (Attr("a").is_in([1]), "#n0 IN (:v0)"),
        (Attr("a").is_in([1, Attr("b"), 2]), "#n0 IN (:v0, #n1, :v1)"),
        (Attr("a").size() > 3, "size(#n0) > :v0"),
        (Attr("a").size().between(1, Attr("b").size()), "size(#n0) BETWEEN :v0 AND size(#n1)"),
        (A & B, "(#n0 = :v0) AND (#n1 = :v1)"),
        (A | B, "(#n0 = :v0) OR (#n1 = :v1)"),
        (~A, "NOT (#n0 = :v0)"),
        (~~A, "NOT (NOT (#n0 = :v0))"),
        (~(A | B), "NOT ((#n0 = :v0) OR (#n1 = :v1))"),
        (A & B | C, "((#n0 = :v0) AND (#n1 = :v1)) OR (attribute_exists(#n2))"),
        (A & (B | C), "(#n0 = :v0) AND ((#n1 = :v1) OR (attribute_exists(#n2)))"),
        (Attr("a").between(1, 2) & B, "(#n0 BETWEEN :v0 AND :v1) AND (#n1 = :v2)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_condition_is_written_in_dynamodb_s_words(condition: Condition, text: str):
    assert expression(condition)[0] == text


def test_a_name_is_said_once_however_often_it_is_used():
    text, names, values = expression((Attr("a") > 1) & (Attr("a") < 9) & (Attr("b") == Attr("a")))
    assert text == "((#n0 > :v0) AND (#n0 < :v1)) AND (#n1 = #n0)"
    assert names == {"#n0": "a", "#n1": "b"}
    assert values == {":v0": {"N": "1"}, ":v1": {"N": "9"}}


def test_a_nested_path_is_a_placeholder_a_part():
    text, names, _ = expression(Attr("address.city.a").exists() & Attr("city").exists())
    assert text == "(attribute_exists(#n0.#n1.#n2)) AND (attribute_exists(#n1))"
    assert names == {"#n0": "address", "#n1": "city", "#n2": "a"}


@pytest.mark.parametrize("name", ["size", "status", "a b", "a-b", "a[0]", "é", "#n0", ":v0", "a) OR (b", "AND", '"'])
def test_a_name_is_never_part_of_the_expression(name: str):
    text, names, _ = expression(Attr(name) == "x")
    assert text == "#n0 = :v0"
    assert names == {"#n0": name}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_is_never_part_of_the_expression(value: str):
    text, _, values = expression((Attr("a") == value) | Attr("b").begins_with(value))
    assert text == "(#n0 = :v0) OR (begins_with(#n1, :v1))"
    assert values == {":v0": {"S": value}, ":v1": {"S": value}}


conditions = st.recursive(
    st.sampled_from("abc").flatmap(
        lambda name: st.sampled_from(
            [Attr(name) == 1, Attr(f"{name}.x").exists(), Attr(name).between(1, 2), Attr(name).is_in([1, 2])]
        )
    ),
    lambda parts: (
        st.builds(lambda one, other: one & other, parts, parts)
        | st.builds(lambda one, other: one | other, parts, parts)
        | st.builds(lambda part: ~part, parts)
    ),
    max_leaves=8,
)


@given(conditions)
def test_every_placeholder_is_defined_and_every_definition_is_used(condition: Condition):
    """DynamoDB refuses the request for one too many as it does for one too few."""
    text, names, values = expression(condition)
    assert set(re.findall(r"#n\d+", text)) == set(names)
    assert set(re.findall(r":v\d+", text)) == set(values)
    assert len(set(names.values())) == len(names)
    assert text.count("(") == text.count(")")


def test_what_is_no_condition_is_an_error():
    with pytest.raises(TypeError, match=r"^not a condition: bool$"):
        condition_expression(True, Placeholders())  # type: ignore[arg-type]


def test_a_value_without_a_type_in_dynamodb_is_refused_for_good():
    with pytest.raises(UncommittableEffects, match=r"^DynamoDB has no type for a Attr$"):
        expression(Attr("a").contains(Attr("b")))


# --- Writes


def written(write: Any) -> dict[str, Any]:
    """Held against the service's own model on the way."""
    item = transaction_item(write, "shop-table")
    scripted_aws.dynamodb().transact_write_items(TransactItems=[item])
    return item


def test_a_put():
    assert written(Put("T", {"id": "A-1", "price": 0.1})) == {
        "Put": {"TableName": "shop-table", "Item": {"id": {"S": "A-1"}, "price": {"N": "0.1"}}}
    }


def test_a_conditional_put():
    put = Put("T", {"id": "A-1"}, condition=Attr("id").not_exists(), otherwise=PermanentError("there is one"))
    assert written(put) == {
        "Put": {
            "TableName": "shop-table",
            "Item": {"id": {"S": "A-1"}},
            "ConditionExpression": "attribute_not_exists(#n0)",
            "ExpressionAttributeNames": {"#n0": "id"},
        }
    }


def test_an_update_shares_placeholders_with_its_condition():
    update = Update(
        "T",
        {"id": 1, "sort": "x"},
        set={"status": "DONE", "address.city": "Bern"},
        add={"on_hand": -3, "tags": {"new"}},
        remove=["note", "address.zip"],
        condition=(Attr("on_hand") >= 3) & (Attr("status") != "DONE"),
    )
    assert written(update) == {
        "Update": {
            "TableName": "shop-table",
            "Key": {"id": {"N": "1"}, "sort": {"S": "x"}},
            "UpdateExpression": "SET #n0 = :v0, #n1.#n2 = :v1 ADD #n3 :v2, #n4 :v3 REMOVE #n5, #n1.#n6",
            "ConditionExpression": "(#n3 >= :v4) AND (#n0 <> :v5)",
            "ExpressionAttributeNames": {
                "#n0": "status",
                "#n1": "address",
                "#n2": "city",
                "#n3": "on_hand",
                "#n4": "tags",
                "#n5": "note",
                "#n6": "zip",
            },
            "ExpressionAttributeValues": {
                ":v0": {"S": "DONE"},
                ":v1": {"S": "Bern"},
                ":v2": {"N": "-3"},
                ":v3": {"SS": ["new"]},
                ":v4": {"N": "3"},
                ":v5": {"S": "DONE"},
            },
        }
    }


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"set": {"a": 1}}, "SET #n0 = :v0"),
        ({"add": {"a": Decimal("1.5")}}, "ADD #n0 :v0"),
        ({"remove": ["a"]}, "REMOVE #n0"),
        ({"set": {"a": 1}, "remove": ["b"]}, "SET #n0 = :v0 REMOVE #n1"),
    ],
)
def test_an_update_says_only_what_it_does(changes: dict[str, Any], text: str):
    update = written(Update("T", {"id": 1}, **changes))["Update"]
    assert update["UpdateExpression"] == text
    assert ("ExpressionAttributeValues" in update) == (":v0" in text)


def test_a_delete():
    assert written(Delete("T", {"id": 1})) == {"Delete": {"TableName": "shop-table", "Key": {"id": {"N": "1"}}}}


def test_a_check():
    assert written(Check("T", {"id": 1}, condition=Attr("n") > 0)) == {
        "ConditionCheck": {
            "TableName": "shop-table",
            "Key": {"id": {"N": "1"}},
            "ConditionExpression": "#n0 > :v0",
            "ExpressionAttributeNames": {"#n0": "n"},
            "ExpressionAttributeValues": {":v0": {"N": "0"}},
        }
    }
