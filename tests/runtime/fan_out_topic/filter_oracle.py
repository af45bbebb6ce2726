"""SNS's filters once more, by brute force and in another way: all readings of a filter against all values of a message.

Nothing here is the shipped code's: texts are compared as JSON, numbers as whole numbers of 1/100,000.
"""

import ipaddress
import itertools
import json
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from serverless_patterns_runtime import Message

Reading = dict[str, Any]
"""One rule for each path: all of them have to hold."""


def oracle(filter: dict[str, Any], message: Message, scope: str) -> bool:
    """Whether one reading of the filter holds."""
    values = list(_flat("", _seen(message, scope)))
    return bool(values) and any(
        all(_holds(rule, [value for at, value in values if at == path]) for path, rule in reading)
        for reading in _readings(filter, "")
    )


def _seen(message: Message, scope: str) -> Any:
    if scope == "body":
        return message.body if isinstance(message.body, dict) else {}
    return {
        name: value.replace("\\", r"\\").replace('"', r"\"") if isinstance(value, str) else value
        for name, value in message.attributes.items()
        if not isinstance(value, bytes)
    }


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _flat(f"{path}.{name}".lstrip("."), below)
    elif isinstance(value, list):
        for below in value:
            yield from _flat(path, below)
    else:
        yield path, value


def _readings(policy: dict[str, Any], at: str) -> Iterator[list[tuple[str, Any]]]:
    """Each: what all has to hold together, one rule of each name, one member of each `$or`."""
    parts: list[list[list[tuple[str, Any]]]] = []
    for name, value in policy.items():
        path = f"{at}.{name}".lstrip(".")
        if name == "$or":
            parts.append([reading for member in value for reading in _readings(member, at)])
        elif isinstance(value, dict):
            parts.append(list(_readings(value, path)))
        else:
            parts.append([[(path, rule)] for rule in value])
    for choice in itertools.product(*parts):
        yield [pair for reading in choice for pair in reading]


def _holds(rule: Any, values: list[Any]) -> bool:
    if rule == {"exists": False}:
        return values == []
    if rule == {"exists": True}:
        return any(json.dumps(value) not in ('""', "null") for value in values)
    return any(_equal(rule, value) if not isinstance(rule, dict) else _operator(rule, value) for value in values)


def _operator(rule: dict[str, Any], value: Any) -> bool:
    ((name, operand),) = rule.items()
    if name == "anything-but":
        if isinstance(operand, dict):
            ((inner, texts),) = operand.items()
            return not any(_operator({inner: text}, value) for text in (texts if isinstance(texts, list) else [texts]))
        return not any(_equal(each, value) for each in (operand if isinstance(operand, list) else [operand]))
    if name == "numeric":
        at, pairs = _fixed(value), list(zip(operand[::2], operand[1::2], strict=True))
        return at is not None and all(
            {"=": at == limit, "<": at < limit, "<=": at <= limit, ">": at > limit, ">=": at >= limit}[sign]
            for sign, limit in ((sign, _fixed(limit) or 0) for sign, limit in pairs)
        )
    if not isinstance(value, str):
        return False
    if name == "cidr":
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
        except ValueError:
            return False
    patterns = {
        "prefix": lambda: re.escape(operand) + ".*",
        "suffix": lambda: ".*" + re.escape(operand),
        "equals-ignore-case": lambda: "(?i:" + re.escape(operand) + ")",
        "wildcard": lambda: re.sub(
            r"\\(.)|(\*)|([^\\*])",
            lambda found: ".*" if found[2] else re.escape(found[1] or found[3]),
            operand,
            flags=re.DOTALL,
        ),
    }
    return re.fullmatch(patterns[name](), value, re.DOTALL) is not None


def _equal(rule: Any, value: Any) -> bool:
    number = _fixed(rule)
    return _fixed(value) == number if number is not None else json.dumps(rule) == json.dumps(value)


def _fixed(value: Any) -> int | None:
    if isinstance(value, bool | str) or value is None or abs(value) > 10**9:
        return None
    return math.floor(Fraction(str(value)) * 100_000)
