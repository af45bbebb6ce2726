"""Names of errors and of tables are held against the source of the functions: typos are told, nothing else is."""

import ast
from pathlib import Path

import pytest
from aws_cdk import Stack
from botocore.session import get_session

from serverless_patterns import CircuitBreaker, Handler, LoadLeveledQueue, SagaStep, _error_names, _source
from tests.template.sagas import a_saga
from tests.template.stacks import a_table, new_stack, refusal, warnings

RUNTIME = "from serverless_patterns_runtime import Check, Effects, PermanentError, Put, StepInput\n"
ROOMS = "class NoRoom(LookupError): ...\n"


def the_code(folder: Path, body: str, **neighbours: str) -> Path:
    (folder / "hotel.py").write_text(f"{RUNTIME}{body}\n")
    for name, text in neighbours.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def told(stack: Stack, word: str) -> list[str]:
    return [text for text in warnings(stack) if word in text]


def of_a_step(code: Path, *names: str) -> list[str]:
    stack = new_stack()
    book = SagaStep("Book", Handler(code, "hotel:book"), nothing_to_undo=True, no_effect_errors=names)
    a_saga(stack, steps=[book])
    return told(stack, "no_effect_errors")


BOOK = "def book(step): raise NoRoom"


def test_a_misspelt_error_of_the_function_s_module_is_told(tmp_path: Path) -> None:
    assert of_a_step(the_code(tmp_path, f"{ROOMS}{BOOK}"), "NoRom") == [
        "'Book' no_effect_errors names 'NoRom' (did you mean 'NoRoom'?), which is nowhere in the source of "
        "'hotel:book' and of what that imports: an error by another name runs the step's own compensation, and nobody "
        "is told of it"
    ]


def test_one_that_is_near_to_nothing_is_told_too(tmp_path: Path) -> None:
    (text,) = of_a_step(the_code(tmp_path, BOOK), "CardDeclined")
    assert "names 'CardDeclined', which is nowhere" in text


@pytest.mark.parametrize("imported", ["from rooms import NoRoom", "import rooms", "from rooms import *"])
def test_a_neighbour_s_errors_are_known_and_its_typos_told(tmp_path: Path, imported: str) -> None:
    code = the_code(tmp_path, f"{imported}\n{BOOK}", rooms=ROOMS)
    assert of_a_step(code, "NoRoom") == []
    assert "did you mean 'NoRoom'?" in of_a_step(code, "NoRom")[0]


def test_a_neighbour_s_neighbour_is_read_once_though_they_import_each_other(tmp_path: Path) -> None:
    code = the_code(tmp_path, f"import rooms\n{BOOK}", rooms="import beds\n", beds="import rooms\nclass NoBed: ...\n")
    assert of_a_step(code, "NoBed") == []


def test_packages_are_followed_by_relative_imports_too(tmp_path: Path) -> None:
    (tmp_path / "inn").mkdir()
    (tmp_path / "inn" / "__init__.py").write_text("from .rooms import NoRoom\n")
    (tmp_path / "inn" / "rooms.py").write_text("from . import beds\nclass NoRoom(beds.NoBed): ...\n")
    (tmp_path / "inn" / "beds.py").write_text("class NoBed(Exception): ...\nclass NoPillow(NoBed): ...\n")
    code = the_code(tmp_path, f"import inn\n{BOOK}")
    assert of_a_step(code, "NoPillow", "NoBed") == []
    assert "did you mean 'NoPillow'?" in of_a_step(code, "NoPilow")[0]


READS = {
    "dynamodb": ("GetItem", "TransactWriteItems"),
    "secretsmanager": ("GetSecretValue",),
    "ssm": ("GetParameter",),
}
OF_SERVICES = {
    shape.name
    for service, operations in READS.items()
    for operation in operations
    for shape in get_session().get_service_model(service).operation_model(operation).error_shapes
}
"""What AWS's own models say of the calls that the runtime makes for every function."""


@pytest.mark.parametrize(
    "name",
    ["TimeoutError", "LookupError", "ConditionNotMet", "UnusableResult", "ClientError", *sorted(OF_SERVICES)],
)
def test_errors_that_any_function_may_raise_are_known(tmp_path: Path, name: str) -> None:
    assert of_a_step(the_code(tmp_path, BOOK), name) == []


@pytest.mark.parametrize(
    "body",
    [
        "import stripe",  # whose functions raise it, unnamed here
        "from partners import stripe",
        "def others(step):\n    import stripe",
        "from stripe import *",
        "Gone = type('CardError', (Exception,), {})",
        "def gone(what): return type(f'{what}Error', (Exception,), {})",
        "def others(name): return __import__(name)",
        "def others(error): raise error.CardError",
        "def others(error): ...\nothers('CardError')",
    ],
)
def test_what_may_be_raised_is_no_typo(tmp_path: Path, body: str) -> None:
    assert of_a_step(the_code(tmp_path, f"{body}\n{ROOMS}{BOOK}"), "CardError") == []


def test_beside_imports_from_elsewhere_only_what_is_nearly_a_class_of_the_user_s_is_a_typo(tmp_path: Path) -> None:
    code = the_code(tmp_path, f"import httpx\n{ROOMS}class PartnerDown(Exception): ...\n{BOOK}")
    assert of_a_step(code, "ConnectError", "PartnerError") == [], "near to ConnectionError and to PartnerDown"
    assert "did you mean 'NoRoom'?" in of_a_step(code, "NoRom")[0]


def test_a_module_is_read_once_however_many_steps_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may hold a whole SDK: each time would take seconds."""
    read: list[str] = []

    def counted(file: Path) -> ast.Module | None:
        read.append(file.name)
        return _source.parsed(file)

    monkeypatch.setattr(_error_names, "parsed", counted)
    code = the_code(tmp_path, f"import sdk\n{ROOMS}{BOOK}", sdk="")
    steps = [
        SagaStep(name, Handler(code, "hotel:book"), nothing_to_undo=True, no_effect_errors=["NoRoom", "NoBed"])
        for name in ("Book", "BookToo")
    ]
    a_saga(new_stack(), steps=steps)
    assert sorted(read) == ["hotel.py", "sdk.py"]


def test_a_package_init_beside_the_modules_makes_nothing_of_elsewhere_ours(tmp_path: Path) -> None:
    code = the_code(tmp_path, f"import stripe\n{BOOK}", __init__="")
    assert of_a_step(code, "CardError") == []


def test_a_neighbour_that_is_no_python_may_raise_anything(tmp_path: Path) -> None:
    code = the_code(tmp_path, f"import rooms\n{BOOK}", rooms="class NoRoom(\n")
    assert of_a_step(code, "NoBed") == []


def guarded(stack: Stack, code: Path, breaker: CircuitBreaker, function: str = "book", id: str = "Bookings") -> None:
    consumer = Handler(code, f"hotel:{function}")
    LoadLeveledQueue(stack, id, max_concurrency=2, circuit_breaker=breaker, consumer=consumer)


def test_what_a_breaker_counts_is_held_against_all_that_it_guards(tmp_path: Path) -> None:
    stack, other = new_stack(), Path(tmp_path, "other")
    other.mkdir()
    the_code(tmp_path, f"class HotelDown(Exception): ...\n{BOOK}")
    the_code(other, f"class PartnerDown(Exception): ...\n{BOOK}")
    breaker = CircuitBreaker(stack, "Partner", counts=["HotelDown", "PartnerDwn"])
    guarded(stack, tmp_path, breaker)
    later = Stack(stack.node.root, "Later")  # pyright: ignore[reportArgumentType]
    step = SagaStep("Book", Handler(other, "hotel:book"), nothing_to_undo=True, circuit_breaker=breaker)
    a_saga(later, steps=[step])
    assert told(stack, "counts names") == [
        "counts names 'PartnerDwn' (did you mean 'PartnerDown'?), which is nowhere in the source of 'hotel:book' and "
        "of what that imports: errors by another name never open the breaker"
    ]


def test_what_a_breaker_counts_may_be_of_a_stack_that_comes_later(tmp_path: Path) -> None:
    stack, other = new_stack(), Path(tmp_path, "other")
    other.mkdir()
    the_code(tmp_path, BOOK)
    the_code(other, f"class PartnerDown(Exception): ...\n{BOOK}")
    breaker = CircuitBreaker(stack, "Partner", counts=["PartnerDown"])
    guarded(stack, tmp_path, breaker)
    guarded(Stack(stack.node.root, "Later"), other, breaker)  # pyright: ignore[reportArgumentType]
    assert told(stack, "counts names") == []


def test_a_breaker_that_guards_nothing_yet_is_held_against_nothing() -> None:
    stack = new_stack()
    CircuitBreaker(stack, "Partner", counts=["PartnerDown"])
    assert told(stack, "counts names") == []


def effects(body: str) -> str:
    return f"def book(step) -> Effects:\n    return Effects(writes=[{body}])"


def handler(code: Path, *tables: str) -> Handler:
    stack = new_stack()
    return Handler(code, "hotel:book", tables={name: a_table(stack, name) for name in tables})


WRITES: dict[str, str] = {
    "a text": effects("Put('SEATS', {})"),
    "a keyword": effects("Check(table='SEATS', key={})"),
    "a name for a text": "SEATS = 'SEATS'\n" + effects("Put(SEATS, {})"),
    "another name": "from serverless_patterns_runtime import Put as Write\n" + effects("Write('SEATS', {})"),
    "a module's name": "import serverless_patterns_runtime\n" + effects("serverless_patterns_runtime.Put('SEATS', {})"),
}


@pytest.mark.parametrize("body", WRITES.values(), ids=WRITES)
def test_a_write_to_a_table_that_the_function_has_not_is_refused(tmp_path: Path, body: str) -> None:
    code = the_code(tmp_path, body)
    assert "Handler(hotel:book): tables must hold 'SEATS' of " in refusal(lambda: handler(code))
    assert "got 'SEAT' (did you mean 'SEAT'?)" in refusal(lambda: handler(code, "SEAT"))
    handler(code, "SEATS")


def test_the_refusal_says_where_the_write_is(tmp_path: Path) -> None:
    code = the_code(tmp_path, effects("Put('SEATS', {}), Check('SEATS', {})"))
    assert refusal(lambda: handler(code)) == (
        f"Handler(hotel:book): tables must hold 'SEATS' of Put(...) in {tmp_path}/hotel.py:3, got none: pass "
        "tables={'SEATS': table}, or no write of it is ever committed"
    )


UNKNOWN: dict[str, str] = {
    "a table that only the input knows": effects("Put(step['table'], {})"),
    "a name that is several": "def book(step) -> Effects:\n    return Effects([Put(it, {}) for it in step])\nit = 'A'",
    "a name that a pattern captures": "it = 'A'\ndef book(step) -> Effects:\n    match step:\n        case it:\n"
    "            return Effects([Put(it, {})])",
    "a name that is imported": "it = 'A'\nfrom names import it\n" + effects("Put(it, {})"),
    "a parameter": "table = 'A'\ndef write(table): return Put(table, {})\n" + effects("write(1)"),
    "what it calls": "def write(step): return Put('SEATS', {})\n" + effects("write(step)"),
}


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
def test_a_write_that_may_be_to_another_table_is_refused_without_any_alone(tmp_path: Path, body: str) -> None:
    code = the_code(tmp_path, body)
    assert "tables must hold " in refusal(lambda: handler(code))
    handler(code, "ROOMS")


@pytest.mark.parametrize(
    "body",
    [
        "def book(step) -> Effects:\n    return Effects(result={'seats': 'SEATS'})",
        "def other(step) -> Effects:\n    return Effects(writes=[Put('SEATS', {})])\n" + effects(""),
        "from mine import Put as Other\n" + effects("Other('SEATS')"),
        "def book(step):\n    return [Put('SEATS', {})]",
    ],
    ids=["no write", "another's write", "another's Put", "no Effects"],
)
def test_a_function_without_writes_needs_no_tables(tmp_path: Path, body: str) -> None:
    handler(the_code(tmp_path, body))


def both(code: Path, undo: str) -> list[str]:
    stack = new_stack()
    a_saga(stack, steps=[SagaStep("Book", Handler(code, "hotel:book"), compensation=Handler(code, f"hotel:{undo}"))])
    return told(stack, "as its action and as its compensation")


def test_one_function_that_does_and_undoes_a_step_is_told(tmp_path: Path) -> None:
    code = the_code(tmp_path, "def book(step): ...\ndef undo(step): ...")
    assert both(code, "undo") == []
    assert both(code, "book") == [
        "'Book' has 'hotel:book' as its action and as its compensation: what undoes the step does it once more, unless "
        "it looks whether there is a step.error"
    ]
