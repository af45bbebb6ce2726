"""A business function is read from its source: what it returns, what it takes, what is wrong with it."""

from pathlib import Path

import pytest

from serverless_patterns import Handler
from tests.template.stacks import HANDLERS, a_handler, refusal

ORDERS = HANDLERS / "orders.py"
TAKES = "function must take (payload) or (payload, invocation), got"


@pytest.mark.parametrize(
    "name",
    [
        "fulfil",
        "fulfil_alone",
        "fulfil_later",
        "fulfil_perhaps",
        "fulfil_either",
        "fulfil_renamed",
        "guarded",
    ],
)
def test_an_annotation_with_effects_in_it_says_so(name: str) -> None:
    assert a_handler(f"orders:{name}").returns_effects


@pytest.mark.parametrize("name", ["call", "bare", "several", "makes_a_generator"])
def test_anything_else_takes_a_lease(name: str) -> None:
    assert not a_handler(f"orders:{name}").returns_effects


@pytest.mark.parametrize("name", ["shop:start", "shop.stock:reserve"])
def test_a_module_may_be_in_a_package(name: str) -> None:
    assert a_handler(name).function == name


def test_the_module_is_never_imported(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text("raise SystemExit('imported')\ndef fulfil(order): ...\n")
    assert not Handler(tmp_path, "orders:fulfil").returns_effects


def line_of(name: str) -> int:
    source = ORDERS.read_text().splitlines()
    return next(number for number, line in enumerate(source, 1) if f"def {name}(" in line)


def problem(code: Path, function: str) -> str:
    return refusal(lambda: Handler(code, function))


@pytest.mark.parametrize("function", ["orders", "orders:", ":fulfil", "orders/fulfil", "orders:a.b", ""])
def test_a_reference_without_module_and_function_is_refused(function: str) -> None:
    assert problem(HANDLERS, function) == (
        f"Handler({function}): function must be 'module:function', got {function!r}: for example 'orders:fulfil'"
    )


def test_the_function_itself_is_no_reference() -> None:
    assert "function must be 'module:function', got <function problem at " in refusal(
        lambda: Handler(HANDLERS, problem)  # pyright: ignore[reportArgumentType]
    )


def test_a_missing_folder_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert problem(Path("handlers"), "orders:fulfil") == (
        f"Handler(orders:fulfil): code must be an existing folder, got {tmp_path}/handlers: "
        "relative paths start at the working directory; Path(__file__).parent / 'handlers' always works"
    )


def test_a_relative_folder_starts_at_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HANDLERS.parent)
    assert Handler("handlers", "orders:fulfil").code == HANDLERS


def test_a_missing_module_is_told_with_the_nearest() -> None:
    assert problem(HANDLERS, "order:fulfil") == (
        f"Handler(order:fulfil): function must name a module in {HANDLERS}, got 'order' (did you mean 'orders'?): "
        "add order.py there"
    )


def test_a_missing_function_is_told_with_the_nearest() -> None:
    assert problem(HANDLERS, "orders:fulfill") == (
        f"Handler(orders:fulfill): function must be a function defined at the top of {ORDERS}, got 'fulfill' "
        "(did you mean 'fulfil'?): define it there: def fulfill(payload, invocation): ..."
    )


def test_what_is_no_function_is_refused() -> None:
    assert problem(HANDLERS, "orders:NOT_A_FUNCTION") == (
        f"Handler(orders:NOT_A_FUNCTION): function must be a function defined at the top of {ORDERS}, "
        "got 'NOT_A_FUNCTION': define it there: def NOT_A_FUNCTION(payload, invocation): ..."
    )


def test_a_file_with_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text("\ndef fulfil(order:\n")
    assert problem(tmp_path, "orders:fulfil") == (
        f"Handler(orders:fulfil): function must be in valid Python ({tmp_path}/orders.py), "
        "got '(' was never closed (orders.py, line 2): mend the file"
    )


def test_a_coroutine_is_refused() -> None:
    assert problem(HANDLERS, "orders:later") == (
        f"Handler(orders:later): function must be an ordinary function, got async later ({ORDERS}:{line_of('later')}): "
        "write def later, without async"
    )


def test_a_generator_is_refused() -> None:
    where = f"piecemeal ({ORDERS}:{line_of('piecemeal')})"
    assert problem(HANDLERS, "orders:piecemeal") == (
        f"Handler(orders:piecemeal): function must be an ordinary function, got the generator {where}: "
        "return one result, without yield"
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("nothing", "()"), ("too_much", "(order, invocation, more)"), ("any_number", "(*orders)")],
)
def test_another_number_of_parameters_is_refused(name: str, parameters: str) -> None:
    assert problem(HANDLERS, f"orders:{name}") == (
        f"Handler(orders:{name}): {TAKES} {parameters} in {name} ({ORDERS}:{line_of(name)}): "
        "a business function is called with one or two values"
    )


def test_a_keyword_that_nobody_passes_is_refused() -> None:
    assert problem(HANDLERS, "orders:demanding") == (
        f"Handler(orders:demanding): {TAKES} keyword-only table in demanding ({ORDERS}:{line_of('demanding')}): "
        "give it a default"
    )


def test_effects_that_are_returned_and_not_annotated_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "orders.py"
    file.write_text("from x import Effects\n\ndef fulfil(order):\n    return Effects(writes=[])\n")
    assert problem(tmp_path, "orders:fulfil") == (
        f"Handler(orders:fulfil): function must be annotated '-> Effects' where it returns Effects(...), "
        f"got fulfil ({file}:3): write def fulfil(...) -> Effects: without it nothing that it returns is committed"
    )


@pytest.mark.parametrize(
    "line", ["from handlers.prices import VAT", "import handlers.prices", "from handlers import prices"]
)
def test_an_import_by_the_folder_s_own_name_is_refused(tmp_path: Path, line: str) -> None:
    """It works in a test beside the folder, and not in Lambda, where the folder is the root."""
    code = tmp_path / "handlers"
    code.mkdir()
    (code / "orders.py").write_text(f"{line}\n\ndef fulfil(order): ...\n")
    found = "handlers" if line.endswith("import prices") else "handlers.prices"
    assert problem(code, "orders:fulfil") == (
        f"Handler(orders:fulfil): function must import from inside {code}, got {found!r} ({code}/orders.py:1): "
        "leave the folder's name out and put the folder on the path of your tests, or pass its parent as code"
    )


def test_a_package_inside_the_folder_may_have_the_folder_s_name(tmp_path: Path) -> None:
    code = tmp_path / "handlers"
    (code / "handlers").mkdir(parents=True)
    (code / "orders.py").write_text("from handlers.prices import VAT\n\ndef fulfil(order): ...\n")
    assert not Handler(code, "orders:fulfil").returns_effects
