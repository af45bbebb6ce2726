"""Amazon States Language's paths and payload templates, as far as our definitions use them; the rest is an error."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["NoSuchPath", "check_path", "filled", "present", "read", "size", "timestamp", "write"]

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\])*")
_PART = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]")
_CONTEXT_PATH = re.compile(r"\$\$(\.[A-Za-z_][A-Za-z0-9_]*)+")
_CALL = re.compile(r"States\.(Format|JsonToString|JsonMerge)\(")
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
_LEADING_PATH = re.compile(r"\$\$?[A-Za-z0-9_.\[\]]*")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MOST_CALLS = 10
"""In one field, Step Functions' quota."""


class NoSuchPath(Exception):
    """`States.ParameterPathFailure`: not to be caught by `States.ALL` in what we count on."""


def read(path: str, document: Any) -> Any:
    found = document
    for name in _names(path):
        there = (
            name < len(found)
            if isinstance(name, int) and isinstance(found, list)
            else (isinstance(name, str) and isinstance(found, Mapping) and name in found)
        )
        if not there:
            raise NoSuchPath(path)
        found = found[name]
    return found


def check_path(path: str) -> None:
    _names(path)


def timestamp(value: Any) -> float:
    """Epoch seconds of RFC 3339's profile of a point in time. Raises ValueError for anything else."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        raise ValueError(f"no timestamp: {value!r}")
    return datetime.fromisoformat(value).timestamp()


def present(path: str, document: Any) -> bool:
    try:
        read(path, document)
    except NoSuchPath:
        return False
    return True


def write(path: str, document: Any, value: Any) -> Any:
    """A copy of the document in which the path holds the value, with fields made on the way there as necessary."""
    names = _names(path)
    assert all(isinstance(name, str) for name in names), f"not to be written to: {path}"
    if not names:
        return copied(value)
    if not isinstance(document, Mapping):
        raise NoSuchPath(path)
    result = copied(dict(document))
    parent = result
    for name in names[:-1]:
        parent = parent.setdefault(name, {})
        if not isinstance(parent, dict):
            raise NoSuchPath(path)
    parent[names[-1]] = copied(value)
    return result


def copied(value: Any) -> Any:
    """Deeply, of what is JSON."""
    if isinstance(value, Mapping):
        return {name: copied(part) for name, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def filled(template: Any, document: Any, context: Mapping[str, Any]) -> Any:
    """A payload template: fields that end in `.$` are paths or calls."""
    if isinstance(template, list):
        return [filled(element, document, context) for element in template]
    if not isinstance(template, Mapping):
        return template
    result: dict[str, Any] = {}
    for name, value in template.items():
        if name.endswith(".$"):
            result[name[:-2]] = copied(_evaluated(value, document, context))
        else:
            result[name] = filled(value, document, context)
    return result


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _names(path: str) -> list[Any]:
    assert _PATH.fullmatch(path), f"a path that the interpreter does not know: {path}"
    return [name or int(number) for name, number in _PART.findall(path)]


def _evaluated(expression: str, document: Any, context: Mapping[str, Any]) -> Any:
    assert expression.count("States.") <= MOST_CALLS, f"more than {MOST_CALLS} calls: {expression}"
    value, rest = _leading(expression, document, context)
    assert not rest, f"a path or call that the interpreter does not know: {expression}"
    return value


def _leading(text: str, document: Any, context: Mapping[str, Any]) -> tuple[Any, str]:
    """The value of what a text begins with, and the rest of it."""
    if quoted := _TEXT.match(text):
        return quoted[1], text[quoted.end() :]
    if text.startswith("false"):
        return False, text.removeprefix("false")
    if path := _LEADING_PATH.match(text):
        if not path[0].startswith("$$"):
            return read(path[0], document), text[path.end() :]
        assert _CONTEXT_PATH.fullmatch(path[0]), text
        return read(path[0][1:], context), text[path.end() :]
    call = _CALL.match(text)
    assert call, f"a call that the interpreter does not know: {text}"
    arguments: list[Any] = []
    rest = text[call.end() :]
    while True:
        value, rest = _leading(rest.lstrip(), document, context)
        arguments.append(value)
        rest = rest.lstrip()
        assert rest[:1] in (",", ")"), f"arguments that the interpreter does not know: {text}"
        last, rest = rest[0] == ")", rest[1:]
        if last:
            return _called(call[1], arguments), rest


def _called(name: str, arguments: list[Any]) -> Any:
    if name == "JsonToString":
        (value,) = arguments
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if name == "JsonMerge":
        first, second, deep = arguments
        assert deep is False, "Step Functions has only the shallow one"
        assert isinstance(first, Mapping) and isinstance(second, Mapping), arguments  # noqa: PT018
        return {**first, **second}
    text, *values = arguments
    assert text.count("{}") == len(values), text
    return text.format(*values)
