"""What is wrong with one rule of a filter policy: a value, or an object of one operator."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from ipaddress import ip_network
from itertools import chain
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.fan_out_topic.filter_numbers import LARGEST, is_number
from serverless_patterns_runtime.fan_out_topic.filter_policy import OPERATORS, Field, Policy
from serverless_patterns_runtime.fan_out_topic.wildcards import bad_escape, stars

__all__ = ["Fault", "fault", "rule_faults", "wildcard_points"]

MAX_STARS = 3
MOST_SHOWN = 200
_LOWER, _UPPER = (">", ">="), ("<", "<=")
_UNESCAPED = re.compile(r'(?:^|[^\\])(?:\\\\)*(?:"|\\(?![\\"]))')

Unknown = Callable[[object], bool]


class Fault(NamedTuple):
    """One thing that is wrong."""

    at: str
    """Where in the policy: `detail.price[0]`; empty: the policy as a whole."""
    must: str
    got: str
    fix: str

    def __str__(self) -> str:
        return f"the filter{f' at {self.at}' if self.at else ''} must {self.must}, got {self.got}: {self.fix}"


def fault(at: str, must: str, got: object, fix: str) -> Fault:
    """With what was found, short enough to be read."""
    shown = repr(got)
    return Fault(at, must, shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}...", fix)


def rule_faults(at: str, rule: object, scope: str, unknown: Unknown) -> Iterator[Fault]:
    """What is wrong with one rule of a list."""
    if isinstance(rule, Mapping):
        yield from _operator(at, cast("Mapping[str, Any]", rule), unknown)
    elif is_number(rule):
        yield from _number(at, rule)
    elif isinstance(rule, str):
        if scope == "attributes" and _UNESCAPED.search(rule):
            yield fault(
                at,
                "escape quotes and backslashes: in this scope SNS compares the escaped text",
                rule,
                r'write \" for " and \\ for \, or look into the body: filter_scope="body"',
            )
    elif rule is not None and not isinstance(rule, bool):
        yield fault(
            at, "be a string, number, True, False, None or an object of one operator", rule, "write one of those"
        )


def _operator(at: str, rule: Mapping[str, Any], unknown: Unknown) -> Iterator[Fault]:
    if len(rule) != 1:
        yield fault(at, "have one operator", rule, "make it two rules (either is enough), or one property of two names")
        return
    ((operator, operand),) = rule.items()
    if unknown(operand):
        return
    match operator:
        case "exists":
            if not isinstance(operand, bool):
                yield fault(f"{at}.exists", "be True or False", operand, "write one of them")
        case "prefix" | "suffix" | "equals-ignore-case":
            yield from _text(f"{at}.{operator}", operand)
        case "wildcard":
            yield from _wildcard(f"{at}.wildcard", operand)
        case "cidr":
            yield from _cidr(f"{at}.cidr", operand)
        case "numeric":
            yield from _numeric(f"{at}.numeric", operand, unknown)
        case "anything-but":
            yield from _anything_but(f"{at}.anything-but", operand, unknown)
        case _:
            yield fault(at, f"have one of the operators {', '.join(OPERATORS)}", operator, "use one of them")


def _text(at: str, operand: object) -> Iterator[Fault]:
    if not isinstance(operand, str) or not operand:
        yield fault(at, "be a string of at least one character", operand, "write what to compare with")


def _wildcard(at: str, pattern: object) -> Iterator[Fault]:
    if not isinstance(pattern, str) or not pattern:
        yield from _text(at, pattern)
    elif sequence := bad_escape(pattern):
        yield fault(at, r"have a backslash only as \* or \\", sequence, "double the backslash to mean one")
    elif "**" in re.sub(r"\\.", "", pattern):
        yield fault(at, "have no two * in a row", pattern, "one * is any number of characters")
    elif stars(pattern) > MAX_STARS:
        yield fault(at, f"have at most {MAX_STARS} *", pattern, "make it less exact")


def _cidr(at: str, network: object) -> Iterator[Fault]:
    try:
        if not isinstance(network, str) or "/" not in network:
            raise ValueError("no mask")
        ip_network(network, strict=False)
    except ValueError:
        yield fault(at, "be a network with its mask", network, "write it as 10.0.0.0/24 or 2001:db8::/32")


def _number(at: str, number: Any) -> Iterator[Fault]:
    if not -LARGEST <= number <= LARGEST:  # not a number is in no range
        yield fault(
            at, f"be a number from {-LARGEST:,} to {LARGEST:,}", number, "compare it as text: publish it as a string"
        )
    elif Decimal(str(number)) != round(Decimal(str(number)), 5):
        yield fault(at, "have at most five digits after the point: SNS sees no more", number, "round it")


def _numeric(at: str, terms: object, unknown: Unknown) -> Iterator[Fault]:
    shape = 'be ["=", 5], or one of <, <=, >, >= with a number, or > or >= with a number, then < or <= with one'
    if not isinstance(terms, list | tuple):
        yield fault(at, shape, terms, 'write it as {"numeric": [">", 0, "<=", 150]}')
        return
    several = cast("Sequence[Any]", terms)
    operators, numbers = several[::2], several[1::2]
    if len(operators) != len(numbers) or not _pair(list(operators)):
        yield fault(at, shape, list(several), 'write it as [">", 0, "<=", 150]')
        return
    for index, number in enumerate(numbers):
        if unknown(number):
            return
        if not is_number(number):
            yield fault(f"{at}[{2 * index + 1}]", "be a number", number, "write it without quotes")
            return
        yield from _number(f"{at}[{2 * index + 1}]", number)
    if len(numbers) == 2 and not numbers[0] < numbers[1]:
        yield fault(at, "have its lower limit first, below the upper", list(several), "exchange them, or use =")


def _pair(operators: list[Any]) -> bool:
    match operators:
        case [one]:
            return one in ("=", *_LOWER, *_UPPER)
        case [lower, upper]:
            return lower in _LOWER and upper in _UPPER
        case _:
            return False


def _anything_but(at: str, operand: object, unknown: Unknown) -> Iterator[Fault]:
    said: object = operand
    if isinstance(operand, Mapping):
        yield from _anything_but_like(at, cast("Mapping[str, Any]", operand), unknown)
        return
    several: list[object] = [*cast("Sequence[object]", operand)] if isinstance(operand, list | tuple) else [operand]
    known = [value for value in several if not unknown(value)]
    if not several or not (all(isinstance(value, str) for value in known) or all(map(is_number, known))):
        yield fault(at, "be a string or number, or a list of strings or of numbers", said, "write one of those")
        return
    for value in known:
        if is_number(value):
            yield from _number(at, value)


def _anything_but_like(at: str, operand: Mapping[str, Any], unknown: Unknown) -> Iterator[Fault]:
    if len(operand) != 1 or next(iter(operand)) not in ("prefix", "wildcard"):
        yield fault(
            at,
            "have prefix or wildcard inside, and nothing else",
            dict(operand),
            'for a suffix write {"anything-but": {"wildcard": "*.tmp"}}',
        )
        return
    ((operator, texts),) = operand.items()
    said: object = texts
    several = cast("list[object]", texts) if isinstance(texts, list) else [texts]
    if not several:
        yield fault(f"{at}.{operator}", "name at least one", said, "write what to compare with")
    for text in several:
        if not unknown(text):
            yield from (
                _wildcard(f"{at}.{operator}", text) if operator == "wildcard" else _text(f"{at}.{operator}", text)
            )


def wildcard_points(policy: Policy) -> int:
    """SNS's measure of how hard wildcards are: of each name its patterns' points, times their number, added."""
    return sum(
        _points(part) if isinstance(part, Field) else sum(map(wildcard_points, part.policies)) for part in policy
    )


def _points(field: Field) -> int:
    counts = [stars(pattern) for pattern in chain.from_iterable(map(_patterns, field.rules))]
    return sum(count if count <= 1 else 3 * count for count in counts) * len(counts)


def _patterns(rule: Any) -> list[str]:
    while isinstance(rule, Mapping):
        operator, operand = next(iter(cast("Mapping[str, Any]", rule).items()))
        if operator == "wildcard":
            several = cast("list[object]", operand) if isinstance(operand, list) else [operand]
            return [pattern for pattern in several if isinstance(pattern, str)]
        rule = operand if operator == "anything-but" else None
    return []
