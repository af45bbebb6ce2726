"""DynamoDB's expression language: condition and update expressions, by recursive descent."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from . import attribute_values as values
from . import conditions_model as c
from .attribute_values import Item, Value
from .conditions_model import Bindings, Condition, Invalid, Operand, PathOperand
from .paths import NoSuchPlace, Path, overlap, value_at, with_value, without_value
from .reserved_words import RESERVED_WORDS
from .tokens import SyntaxFault, Tokens

T = TypeVar("T")
Update = Callable[[Item, Bindings], Item]

_TOKEN = re.compile(r"\s+|[#:]?[A-Za-z_][A-Za-z0-9_]*|[#:][A-Za-z0-9_]+|\d+|<>|<=|>=|[=<>(),.+\-\[\]]")
_PREDICATES = {"begins_with", "contains", "attribute_type"}
_EXISTENCE = {"attribute_exists": True, "attribute_not_exists": False}


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Condition:
    """Raises SyntaxFault."""
    parser = _Parser(text)
    condition = parser.disjunction()
    parser.tokens.expect_end()
    return condition


@lru_cache(maxsize=4096)
def parse_update(text: str) -> Update:
    """Raises SyntaxFault."""
    return _UpdateParser(text).update()


@lru_cache(maxsize=256)
def parse_projection(text: str) -> Callable[[Bindings], Sequence[str]]:
    """Top-level attributes only. Raises SyntaxFault."""
    if not text:
        return lambda _: ()
    parser = _Parser(text)
    paths = [parser.path()]
    while parser.tokens.take(","):
        paths.append(parser.path())
    parser.tokens.expect_end()
    return lambda bindings: [str(path(bindings)[0]) for path in paths]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = Tokens(text, _TOKEN)

    def disjunction(self) -> Condition:
        parts = [self._conjunction()]
        while self.tokens.take("OR"):
            parts.append(self._conjunction())
        return c.any_of(parts) if len(parts) > 1 else parts[0]

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self.tokens.take("AND"):
            parts.append(self._negation())
        return c.all_of(parts) if len(parts) > 1 else parts[0]

    def _negation(self) -> Condition:
        if self.tokens.take("NOT"):
            return c.negation(self._negation())
        if self.tokens.take("("):
            condition = self.disjunction()
            self.tokens.expect(")")
            return condition
        return self._predicate()

    def _predicate(self) -> Condition:
        name = self.tokens.peek()
        if self.tokens.peek(1) == "(" and name in _EXISTENCE:
            (path,) = self.call(self.path)
            return c.exists(path, _EXISTENCE[name])
        if self.tokens.peek(1) == "(" and name in _PREDICATES:
            return c.function(name, self.call(self.operand))
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self.operand()
        if self.tokens.take("BETWEEN"):
            low = self.operand()
            self.tokens.expect("AND")
            return c.between(left, low, self.operand())
        if self.tokens.take("IN"):
            return c.is_in(left, self._in_parentheses(self.operand))
        operator = self.tokens.next()
        if operator not in {"=", "<>", *c.COMPARATORS}:
            raise SyntaxFault(f"unexpected token {operator!r}")
        return c.comparison(left, operator, self.operand())

    def operand(self) -> Operand:
        if self.tokens.peek().startswith(":"):
            return c.placeholder(self.tokens.next())
        if self.tokens.peek() == "size" and self.tokens.peek(1) == "(":
            (argument,) = self.call(self.operand)
            return c.size(argument)
        return c.at(self.path())

    def call(self, argument: Callable[[], T]) -> Sequence[T]:
        self.tokens.next()
        return self._in_parentheses(argument)

    def _in_parentheses(self, element: Callable[[], T]) -> Sequence[T]:
        self.tokens.expect("(")
        elements = [element()]
        while self.tokens.take(","):
            elements.append(element())
        self.tokens.expect(")")
        return elements

    def path(self) -> PathOperand:
        parts: list[str | int] = [self._name()]
        while self.tokens.peek() in {".", "["}:
            if self.tokens.next() == ".":
                parts.append(self._name())
            else:
                parts.append(int(self.tokens.next()))
                self.tokens.expect("]")
        return lambda bindings: tuple(_resolve(part, bindings) for part in parts)

    def _name(self) -> str:
        name = self.tokens.next()
        if not re.fullmatch(r"#?[A-Za-z0-9_]+", name):
            raise SyntaxFault(f"unexpected token {name!r}")
        if name.upper() in RESERVED_WORDS:
            raise SyntaxFault(f"Attribute name is a reserved keyword; reserved keyword: {name}")
        return name


def _resolve(part: str | int, bindings: Bindings) -> str | int:
    return bindings.name(part) if isinstance(part, str) and part.startswith("#") else part


Change = tuple[PathOperand, Callable[[Item, Item, Path, Bindings], Item]]
"""Where, and from (item before the request, item so far) to the next."""


class _UpdateParser(_Parser):
    """Every right-hand side sees the item as it was before the request."""

    def update(self) -> Update:
        changes: list[Change] = []
        seen: set[str] = set()
        while self.tokens.peek():
            clause = self.tokens.next().upper()
            if clause in seen or clause not in {"SET", "ADD", "REMOVE", "DELETE"}:
                raise SyntaxFault(f"unexpected clause {clause!r}")
            seen.add(clause)
            changes.append(self._change(clause))
            while self.tokens.take(","):
                changes.append(self._change(clause))
        if not changes:
            raise SyntaxFault("The expression can not be empty")
        return lambda item, bindings: _apply(changes, item, bindings)

    def _change(self, clause: str) -> Change:
        path = self.path()
        if clause == "SET":
            self.tokens.expect("=")
            new = self._sum()
            return path, lambda before, item, place, bindings: with_value(item, place, _needed(new(before, bindings)))
        if clause == "REMOVE":
            return path, lambda _, item, place, __: without_value(item, place)
        operand = self.operand()
        apply = _added if clause == "ADD" else _deleted
        return path, lambda before, item, place, bindings: apply(
            item, place, value_at(before, place), _needed(operand({}, bindings))
        )

    def _sum(self) -> Operand:
        left = self._summand()
        if self.tokens.peek() in {"+", "-"}:
            sign = 1 if self.tokens.next() == "+" else -1
            right = self._summand()
            return lambda item, bindings: values.plus(
                _needed(left(item, bindings)), _needed(right(item, bindings)), sign
            )
        return left

    def _summand(self) -> Operand:
        name = self.tokens.peek()
        if self.tokens.peek(1) == "(" and name == "if_not_exists":
            first, second = self.call(self.operand)
            return lambda item, bindings: first(item, bindings) or second(item, bindings)
        if self.tokens.peek(1) == "(" and name == "list_append":
            first, second = self.call(self._summand)
            return lambda item, bindings: values.appended(
                _needed(first(item, bindings)), _needed(second(item, bindings))
            )
        return self.operand()


def _needed(value: Value | None) -> Value:
    if value is None:
        raise Invalid("The provided expression refers to an attribute that does not exist in the item")
    return values.normalized(value)


def _added(item: Item, place: Path, old: Value | None, operand: Value) -> Item:
    return with_value(item, place, values.added(old, operand))


def _deleted(item: Item, place: Path, old: Value | None, operand: Value) -> Item:
    left = values.without(old, operand)
    return with_value(item, place, left) if left is not None else without_value(item, place)


def _apply(changes: Sequence[Change], before: Item, bindings: Bindings) -> Item:
    places = [path(bindings) for path, _ in changes]
    if overlap(places):
        raise Invalid("Invalid UpdateExpression: Two document paths overlap with each other")
    item = before
    try:
        for place, (_, change) in zip(places, changes, strict=True):
            item = change(before, item, place, bindings)
    except NoSuchPlace:
        raise Invalid("The document path provided in the update expression is invalid for update") from None
    except values.WrongType:
        raise Invalid("An operand in the update expression has an incorrect data type") from None
    return item
