import functools
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns_runtime import Effects, Invocation, Put
from serverless_patterns_runtime.business_function.business_function import BusinessFunction, UnusableResult

INVOCATION = Invocation.fake()


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user's modules."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "orders", raising=False)  # the reference app has one too
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def load(code: Path, source: str, name: str = "orders:fulfil", *, returns_effects: bool = False) -> BusinessFunction:
    file = code / f"{name.partition(':')[0].replace('.', '/')}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(source))
    return BusinessFunction.load(name, returns_effects=returns_effects)


@pytest.mark.parametrize(
    ("signature", "takes_invocation"),
    [
        ("order", False),
        ("order, invocation", True),
        ("order, /, invocation", True),
        ("order, invocation=None", True),
        ("order, *, dry_run=False", False),
        ("order: dict, invocation: 'Anything'", True),
    ],
)
def test_a_function_gets_what_its_signature_asks_for(code: Path, signature: str, takes_invocation: bool):
    source = f"def fulfil({signature}):\n    return [order, locals().get('invocation')]"
    function = load(code, source)
    assert function.takes_invocation is takes_invocation
    assert function({"a": 1}, INVOCATION) == [{"a": 1}, INVOCATION if takes_invocation else None]


def test_a_function_may_be_decorated_wrapped_or_an_object(code: Path):
    source = """
        import functools

        def traced(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args)
            return wrapper

        @traced
        def fulfil(order, invocation):
            return invocation.attempt

        class Fulfil:
            def __call__(self, order, invocation):
                return invocation.attempt

        fulfil_object = Fulfil()
        fulfil_partial = functools.partial(lambda shop, order, invocation: invocation.attempt, "shop")
    """
    for name in ("fulfil", "fulfil_object", "fulfil_partial"):
        assert load(code, source, f"orders:{name}")({}, INVOCATION) == 1
        del sys.modules["orders"]


def test_a_module_may_be_in_a_package(code: Path):
    assert load(code, "def fulfil(order): return 7", "shop.orders:fulfil")({}, INVOCATION) == 7


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("absent:fulfil", ModuleNotFoundError, "No module named 'absent'"),
        ("orders:absent", AttributeError, "module 'orders' has no attribute 'absent'"),
        ("broken:fulfil", ZeroDivisionError, "division by zero"),
    ],
)
def test_what_cannot_be_loaded_is_an_error_at_init(code: Path, name: str, error: type[Exception], message: str):
    (code / "orders.py").write_text("def fulfil(order): return 1")
    (code / "broken.py").write_text("1 / 0")
    with pytest.raises(error) as raised:
        BusinessFunction.load(name, returns_effects=False)
    assert str(raised.value) == message


def test_effects_where_the_annotation_promised_them_are_passed_on(code: Path):
    source = """
        from serverless_patterns_runtime import Effects, Put
        def fulfil(order) -> Effects:
            return Effects(writes=[Put("ORDERS", order)])
    """
    effects = load(code, source, returns_effects=True)({"a": 1}, INVOCATION)
    assert effects == Effects(writes=[Put("ORDERS", {"a": 1})])


def test_nothing_where_effects_were_promised_are_no_effects():
    assert make(lambda _: None, returns_effects=True)({}, INVOCATION) == Effects()


def make(call: Any, *, returns_effects: bool) -> BusinessFunction:
    return BusinessFunction(call, "orders:fulfil", False, returns_effects)


BROKEN = "orders:fulfil is annotated '-> Effects' and returned {}: return Effects, and deploy again"
UNSAID = "orders:fulfil returned Effects without saying so: annotate it '-> Effects', and deploy again"


@pytest.mark.parametrize(
    ("returned", "returns_effects", "message"),
    [
        ({"ok": True}, True, BROKEN.format("dict")),
        (False, True, BROKEN.format("bool")),
        (Put("T", {}), True, BROKEN.format("Put")),
        (Effects(), False, UNSAID),
        (Effects(writes=[Put("T", {})]), False, UNSAID),
    ],
)
def test_effects_are_never_dropped_and_never_made_up(returned: Any, returns_effects: bool, message: str):
    with pytest.raises(UnusableResult) as raised:
        make(lambda _: returned, returns_effects=returns_effects)({}, INVOCATION)
    assert str(raised.value) == message


async def coroutine(order: Any) -> None:
    raise AssertionError(order)


def generator(order: Any) -> Any:
    yield order
    raise AssertionError("never runs")


async def stream(order: Any) -> Any:
    yield order


@pytest.mark.parametrize("returns_effects", [True, False])
@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (coroutine, "coroutine"),
        (generator, "generator"),
        (stream, "async_generator"),
        (functools.partial(coroutine), "coroutine"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_body_that_never_ran_is_no_success(call: Any, kind: str, returns_effects: bool):
    """Acknowledging it would lose the message without a trace."""
    with pytest.raises(UnusableResult) as raised:
        make(call, returns_effects=returns_effects)({}, INVOCATION)
    assert str(raised.value) == f"orders:fulfil returned a {kind}, which has not run: write an ordinary function"


@pytest.mark.parametrize("returned", [None, 0, "", [], {"a": [1]}, 1.5, True])
def test_any_other_result_is_passed_on(returned: Any):
    assert make(lambda _: returned, returns_effects=False)({}, INVOCATION) == returned
