"""Amazon States Language's paths and payload templates, as far as our definitions use them; the rest is an error."""

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["NoSuchPath", "filled", "present", "read", "size", "write"]

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*)*")
_CONTEXT_PATH = re.compile(r"\$\$(\.[A-Za-z_][A-Za-z0-9_]*)+")
_CALL = re.compile(r"States\.(Format|JsonToString)\((.*)\)")
_ARGUMENT = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\$\$?[A-Za-z0-9_.]*)\s*(?:,|$)")


class NoSuchPath(Exception):
    """`States.ParameterPathFailure`: not to be caught by `States.ALL` in what we count on."""


def read(path: str, document: Any) -> Any:
    found = document
    for name in _names(path):
        if not isinstance(found, Mapping) or name not in found:
            raise NoSuchPath(path)
        found = found[name]
    return found


def present(path: str, document: Any) -> bool:
    try:
        read(path, document)
    except NoSuchPath:
        return False
    return True


def write(path: str, document: Any, value: Any) -> Any:
    """A copy of the document in which the path holds the value, with fields made on the way there as necessary."""
    names = _names(path)
    if not names:
        return copy.deepcopy(value)
    if not isinstance(document, Mapping):
        raise NoSuchPath(path)
    result = copy.deepcopy(dict(document))
    parent = result
    for name in names[:-1]:
        parent = parent.setdefault(name, {})
        if not isinstance(parent, dict):
            raise NoSuchPath(path)
    parent[names[-1]] = copy.deepcopy(value)
    return result


def filled(template: Any, document: Any, context: Mapping[str, Any]) -> Any:
    """A payload template: fields that end in `.$` are paths or calls."""
    if isinstance(template, list):
        return [filled(element, document, context) for element in template]
    if not isinstance(template, Mapping):
        return template
    result: dict[str, Any] = {}
    for name, value in template.items():
        if name.endswith(".$"):
            result[name[:-2]] = copy.deepcopy(_evaluated(value, document, context))
        else:
            result[name] = filled(value, document, context)
    return result


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _names(path: str) -> list[str]:
    assert _PATH.fullmatch(path), f"a path that the interpreter does not know: {path}"
    return path.split(".")[1:]


def _evaluated(expression: str, document: Any, context: Mapping[str, Any]) -> Any:
    if expression.startswith("$$"):
        assert _CONTEXT_PATH.fullmatch(expression), expression
        return read(expression[1:], context)
    if expression.startswith("$"):
        return read(expression, document)
    call = _CALL.fullmatch(expression)
    assert call, f"a call that the interpreter does not know: {expression}"
    arguments = [_argument(text, document, context) for text in _split(call[2])]
    if call[1] == "JsonToString":
        (value,) = arguments
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text, *values = arguments
    assert text.count("{}") == len(values), expression
    return text.format(*values)


def _split(text: str) -> list[str]:
    arguments, at = [], 0
    while at < len(text):
        match = _ARGUMENT.match(text, at)
        assert match, f"arguments that the interpreter does not know: {text}"
        arguments.append(match[1])
        at = match.end()
    return arguments


def _argument(text: str, document: Any, context: Mapping[str, Any]) -> Any:
    return text[1:-1] if text.startswith("'") else _evaluated(text, document, context)
