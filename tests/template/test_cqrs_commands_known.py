"""Which `decide` is warned of for the names of `commands`: as people write it, right and wrong."""

import ast

import pytest

from serverless_patterns._cqrs_table.commands_known import commands_known
from serverless_patterns._cqrs_table.refusing import refuses_others
from tests.template.cqrs import a_function, orders
from tests.template.stacks import new_stack, warnings

REFUSES = {
    "an if and a raise": """
        if command.name == "cancel" and state is not None:
            return Decision(None)
        raise PermanentError("not now")""",
    "an else that raises": """
        if command.name == "cancel":
            return Decision(None)
        elif command.name == "place":
            return Decision({})
        else:
            raise PermanentError(f"not {command.name}")""",
    "none of these": """
        if command.name not in ("place", "cancel"):
            raise PermanentError("unknown")
        return Decision({})""",
    "not one of these": """
        if not (command.name in ["place"] or command.name == "cancel"):
            raise PermanentError("unknown")
        return Decision({})""",
    "another than the only one": """
        if command.name != "cancel":
            raise PermanentError("unknown")
        return Decision({})""",
    "a match with a last case": """
        match command.name:
            case "cancel" | "place":
                return Decision({})
            case _:
                raise PermanentError("unknown")""",
    "a match that names the rest": """
        match command.name:
            case "cancel":
                return Decision({})
            case other:
                raise PermanentError("unknown")""",
    "a match and a raise": """
        match command.name:
            case "cancel":
                return Decision({})
        raise PermanentError("unknown")""",
    "within both of another": """
        if state is None:
            if command.name == "place":
                return Decision({})
            raise PermanentError("nothing there")
        if command.name == "cancel":
            return Decision(None)
        raise PermanentError("there already")""",
    "a match on something else": """
        match state:
            case None:
                raise PermanentError("nothing there")
            case _ if command.name == "cancel":
                return Decision(None)
        raise PermanentError("unknown")""",
}
HANDLES = {
    "the other one falls through": """
        if command.name == "cancel":
            return Decision(None)
        return Decision({})""",
    "else": """
        if command.name == "cancel":
            made = None
        else:
            made = {}
        return Decision(made)""",
    "a match without a last case": """
        match command.name:
            case "cancel":
                return Decision(None)
        return Decision({})""",
    "a last case that handles": """
        match command.name:
            case "cancel":
                return Decision(None)
            case _:
                return Decision({})""",
    "a last case that handles some": """
        match command.name:
            case "cancel":
                return Decision(None)
            case _ if state is None:
                return Decision({})
            case _:
                raise PermanentError("there already")""",
    "another, beside a condition": """
        if command.name != "open" and state is None:
            raise PermanentError("nothing there")
        return Decision({})""",
    "a refusal of one": """
        if command.name == "cancel" and state is None:
            raise PermanentError("nothing to cancel")
        return Decision({})""",
    "a conditional expression": """
        return Decision({"status": "gone" if command.name == "cancel" else "open"})""",
    "a tuple": """
        if command.name in ("cancel", "withdraw"):
            return Decision(None)
        return Decision({})""",
    "another function": """
        if command.name == "cancel":
            return Decision(None)
        return _placed(state)""",
    "a function that may raise": """
        if command.name == "cancel":
            return Decision(None)
        refuse()""",
    "a loop": """
        for line in LINES:
            if command.name != "cancel":
                return Decision(line)
        raise PermanentError("unknown")""",
    "an attempt": """
        try:
            if command.name != "cancel":
                raise KeyError
            return Decision(None)
        except KeyError:
            return Decision({})""",
    "a last case that raises for some": """
        match command.name:
            case "cancel":
                return Decision(None)
            case _ if state is None:
                raise PermanentError("nothing there")
        return Decision({})""",
    "an attempt that returns": """
        try:
            return Decision({} if command.name == "place" else None)
        except KeyError:
            pass
        raise PermanentError("no lines")""",
    "a with that returns": """
        with suppress(KeyError):
            return Decision({} if command.name == "place" else None)
        raise PermanentError("no lines")""",
    "a with": """
        with suppress(PermanentError):
            if command.name != "cancel":
                raise PermanentError("unknown")
        return Decision({})""",
}
UNKNOWN = {
    "a dict of handlers": "return HANDLERS[command.name](state)",
    "given to another": """
        if command.name == "cancel":
            return Decision(None)
        raise PermanentError(_reason(command))""",
    "names elsewhere": """
        if command.name in KNOWN:
            return Decision({})
        raise PermanentError("unknown")""",
    "a constant": """
        if command.name == CANCEL:
            return Decision(None)
        raise PermanentError("unknown")""",
    "the beginning of a name": """
        if command.name == "cancel" or command.name.startswith("place"):
            return Decision({})
        raise PermanentError("unknown")""",
}


def a_decide(body: str) -> ast.FunctionDef:
    made = ast.parse(f"def decide(state, command):\n        {body.strip()}\n").body[0]
    assert isinstance(made, ast.FunctionDef)
    return made


@pytest.mark.parametrize("body", REFUSES.values(), ids=REFUSES)
def test_a_decide_that_raises_for_every_other_name_refuses_it(body: str) -> None:
    decide = a_decide(body)
    assert refuses_others(decide, "command")
    assert "cancel" in (commands_known(decide) or ())


@pytest.mark.parametrize("body", HANDLES.values(), ids=HANDLES)
def test_a_decide_that_may_handle_the_others_is_no_refusal(body: str) -> None:
    assert not refuses_others(a_decide(body), "command")
    assert commands_known(a_decide(body))


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
def test_of_a_decide_that_looks_elsewhere_nothing_is_known(body: str) -> None:
    assert commands_known(a_decide(body)) is None


def test_what_a_decorator_does_with_a_refusal_nobody_sees() -> None:
    made = ast.parse("@lenient\ndef decide(state, command):\n    raise PermanentError('no')").body[0]
    assert isinstance(made, ast.FunctionDef)
    assert not refuses_others(made, "command")


def test_names_that_decide_handles_with_all_the_others_are_not_warned_of() -> None:
    stack = new_stack()
    orders(stack, decide=a_function("decide_the_rest_alike"), commands=["place", "cancel"])
    assert [text for text in warnings(stack) if "command" in text] == []
