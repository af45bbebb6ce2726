import copy
import dataclasses
import pickle
import re
from typing import Any

import pytest

from serverless_patterns_runtime import Attr, Check, Delete, Effects, PermanentError, Put, Update


def fulfilment(left: int = 3, reason: str = "out of stock") -> Effects:
    return Effects(
        writes=[
            Put("ORDERS", {"order_id": "A-1"}, condition=Attr("order_id").not_exists()),
            Update(
                "STOCK",
                {"product_id": 1},
                add={"on_hand": -left},
                remove=["note"],
                condition=Attr("on_hand") >= left,
                otherwise=PermanentError(reason),
            ),
            Delete("CARTS", {"cart_id": 7}),
            Check("LIMITS", {"customer": 1}, condition=Attr("credit") > 0),
        ],
        result={"ok": True},
    )


def test_equal_effects_are_equal():
    assert fulfilment() == fulfilment()
    assert copy.deepcopy(fulfilment()) == fulfilment()
    assert pickle.loads(pickle.dumps(fulfilment())) == fulfilment()
    assert Effects(writes=(Delete("T", {"a": 1}),)) == Effects(writes=[Delete("T", {"a": 1})])


@pytest.mark.parametrize(
    "other",
    [
        fulfilment(left=4),
        fulfilment(reason="sold out"),
        dataclasses.replace(fulfilment(), result=None),
        Effects(writes=fulfilment().writes[:3], result={"ok": True}),
        Effects(writes=fulfilment().writes[::-1], result={"ok": True}),
    ],
)
def test_different_effects_are_different(other: Effects):
    assert fulfilment() != other


def test_a_put_is_not_a_delete_of_the_same_item():
    assert Put("T", {"a": 1}) != Delete("T", {"a": 1})


def test_effects_cannot_be_changed():
    effects = fulfilment()
    with pytest.raises(dataclasses.FrozenInstanceError):
        effects.result = 1  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        effects.writes[0].table = "OTHER"  # type: ignore[misc]
    assert isinstance(effects.writes, tuple)


def test_writes_may_come_from_a_generator():
    effects = Effects(writes=(Delete("T", {"a": number}) for number in range(3)))  # type: ignore[arg-type]
    assert len(effects.writes) == 3
    assert effects == Effects(writes=[Delete("T", {"a": number}) for number in range(3)])


def test_no_effects_are_effects():
    assert Effects() == Effects(writes=[], result=None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Update("STOCK", {"a": 1}),
            "an Update of STOCK needs set, add or remove; to test an item only, use Check",
        ),
        (lambda: Check("STOCK", {"a": 1}), "a Check of STOCK needs a condition"),
        (
            lambda: Update("STOCK", {"a": 1}, remove="note"),
            "an Update of STOCK removes a list of attributes, got the text 'note': write ['note']",
        ),
    ],
)
def test_a_write_that_makes_no_sense_is_refused_where_it_is_written(make: Any, message: str):
    with pytest.raises(ValueError, match=message.split()[2]) as raised:
        make()
    assert str(raised.value) == message


@pytest.mark.parametrize(("given", "kind"), [(Put("T", {"a": 1}), "Put"), (None, "NoneType"), (7, "int")])
def test_effects_of_what_is_no_list_say_how_to_write_one(given: Any, kind: str):
    message = f"Effects take a list of writes, got a value of type {kind}: write Effects([...])"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Effects(given)


@pytest.mark.parametrize(("given", "kind"), [([{"a": 1}], "dict"), ({"T": 1}, "str"), ([Put("T", {}), [1]], "list")])
def test_effects_hold_nothing_but_writes(given: Any, kind: str):
    message = f"Effects hold Put, Update, Delete and Check, got a value of type {kind}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Effects(given)
