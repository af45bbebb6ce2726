"""PartiQL as DynamoDB takes it for one item: INSERT, UPDATE and DELETE with `?` parameters."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from . import attribute_values as values
from . import conditions_model as c
from .attribute_values import Item, Value
from .conditions_model import Bindings, Condition, Invalid, Operand, PathOperand
from .paths import NoSuchPlace, Path, overlap, with_value, without_value
from .tokens import SyntaxFault, Tokens

_TOKEN = re.compile(
    r"""\s+ | "(?:[^"]|"")*" | '(?:[^']|'')*' | \d+(?:\.\d+)? | [A-Za-z_][A-Za-z0-9_]* | \?
    | <> | != | <= | >= | << | >> | [=<>(),.+\-\[\]{}:*]""",
    re.VERBOSE,
)
_SET_FUNCTIONS: Mapping[str, Callable[[Value | None, Value], Value | None]] = {
    "SET_ADD": values.added,
    "SET_DELETE": values.without,
    "LIST_APPEND": lambda old, new: values.appended(old or {"L": []}, new),
}
_PREDICATES = {"BEGINS_WITH", "CONTAINS", "ATTRIBUTE_TYPE"}


@dataclass
class Statement:
    kind: Literal["INSERT", "UPDATE", "DELETE"]
    table: str
    fields: Mapping[str, Operand] = field(default_factory=dict)
    """INSERT: attribute to value."""
    changes: Sequence[tuple[Path, Operand | None]] = ()
    """UPDATE: where, and what; None removes."""
    equalities: Mapping[str, Operand] = field(default_factory=dict)
    """Top-level `attribute = value` of the WHERE clause: the key has to be among them."""
    condition: Condition | None = None
    returning: str = ""
    parameters: int = 0

    def updated(self, before: Item, bindings: Bindings) -> Item:
        if overlap([path for path, _ in self.changes]):
            raise Invalid("Two document paths overlap with each other")
        item = before
        try:
            for path, new in self.changes:
                value = None if new is None else new(before, bindings)
                item = without_value(item, path) if value is None else with_value(item, path, values.normalized(value))
        except NoSuchPlace:
            raise Invalid("The document path provided in the update expression is invalid for update") from None
        except values.WrongType:
            raise Invalid("An operand in the update expression has an incorrect data type") from None
        return item


def bindings(parameters: Sequence[Value]) -> Bindings:
    return Bindings({}, {str(number): value for number, value in enumerate(parameters)})


@lru_cache(maxsize=4096)
def parse(text: str) -> Statement:
    """Raises SyntaxFault."""
    if len(text) > 8192:
        raise SyntaxFault("Statement is longer than 8192 characters")
    return _Parser(text).statement()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = Tokens(text, _TOKEN)
        self._parameters = 0
        self._equalities: dict[str, Operand] = {}

    def statement(self) -> Statement:
        tokens = self._tokens
        if tokens.take("INSERT", "INTO"):
            table = self._name()
            tokens.expect("VALUE")
            statement = Statement("INSERT", table, fields=self._fields())
        elif tokens.take("UPDATE"):
            table = self._name()
            changes = self._changes()
            statement = Statement(
                "UPDATE", table, changes=changes, condition=self._where(), equalities=self._equalities
            )
            statement.returning = self._returning()
        else:
            tokens.expect("DELETE", "FROM")
            statement = self._conditional(Statement("DELETE", self._name()))
        tokens.expect_end()
        statement.parameters = self._parameters
        return statement

    def _conditional(self, statement: Statement) -> Statement:
        statement.condition = self._where()
        statement.equalities = self._equalities
        statement.returning = self._returning()
        return statement

    def _fields(self) -> Mapping[str, Operand]:
        fields: dict[str, Operand] = {}
        self._tokens.expect("{")
        while True:
            name = self._tokens.next()
            if not name.startswith("'"):
                raise SyntaxFault(f"expected an attribute name in single quotes, found {name!r}")
            self._tokens.expect(":")
            fields[_unquoted(name)] = self._operand()
            if not self._tokens.take(","):
                break
        self._tokens.expect("}")
        return fields

    def _changes(self) -> Sequence[tuple[Path, Operand | None]]:
        """SET and REMOVE, repeated or with commas."""
        changes: list[tuple[Path, Operand | None]] = []
        while self._tokens.peek().upper() in {"SET", "REMOVE"}:
            is_set = self._tokens.next().upper() == "SET"
            while True:
                path = self._path()
                if is_set:
                    self._tokens.expect("=")
                changes.append((path, self._sum() if is_set else None))
                if not self._tokens.take(","):
                    break
        if not changes:
            raise SyntaxFault("UPDATE needs SET or REMOVE")
        return changes

    def _where(self) -> Condition:
        self._tokens.expect("WHERE")
        return self._disjunction(top=True)

    def _returning(self) -> str:
        if not self._tokens.take("RETURNING"):
            return ""
        which = f"{self._tokens.next()} {self._tokens.next()}".upper()
        self._tokens.expect("*")
        if which not in {"ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW"}:
            raise SyntaxFault(f"RETURNING {which} is unknown")
        return which

    def _disjunction(self, top: bool = False) -> Condition:
        known = dict(self._equalities)
        parts = [self._conjunction(top)]
        while self._tokens.take("OR"):
            self._equalities = known  # under an OR nothing is certain
            parts.append(self._conjunction(False))
        return c.any_of(parts) if len(parts) > 1 else parts[0]

    def _conjunction(self, top: bool) -> Condition:
        parts = [self._negation(top)]
        while self._tokens.take("AND"):
            parts.append(self._negation(top))
        return c.all_of(parts) if len(parts) > 1 else parts[0]

    def _negation(self, top: bool) -> Condition:
        if self._tokens.take("NOT"):
            return c.negation(self._negation(False))
        if self._tokens.take("("):
            condition = self._disjunction(top)
            self._tokens.expect(")")
            return condition
        return self._predicate(top)

    def _predicate(self, top: bool) -> Condition:
        name = self._tokens.peek().upper()
        if self._tokens.peek(1) == "(" and name in _PREDICATES:
            return c.function(name.lower(), self._call())
        start = self._tokens.peek()
        left = self._operand()
        if self._tokens.take("IS"):
            present = self._tokens.take("NOT")
            self._tokens.expect("MISSING")
            return lambda item, binding: (left(item, binding) is not None) is present
        if self._tokens.take("BETWEEN"):
            low = self._operand()
            self._tokens.expect("AND")
            return c.between(left, low, self._operand())
        if self._tokens.take("IN"):
            opening = self._tokens.next()
            if opening not in {"[", "("}:
                raise SyntaxFault("IN needs a list")
            options = self._operands({"[": "]", "(": ")"}[opening])
            return c.is_in(left, options)
        operator = self._tokens.next()
        if operator not in {"=", "<>", "!=", *c.COMPARATORS}:
            raise SyntaxFault(f"unexpected token {operator!r}")
        right = self._operand()
        if top and operator == "=":
            self._equalities[_unquoted(start)] = right
        return c.comparison(left, operator, right)

    def _sum(self) -> Operand:
        left = self._summand()
        if self._tokens.peek() in {"+", "-"}:
            sign = 1 if self._tokens.next() == "+" else -1
            right = self._summand()
            return lambda item, binding: values.plus(_needed(left(item, binding)), _needed(right(item, binding)), sign)
        return left

    def _summand(self) -> Operand:
        name = self._tokens.peek().upper()
        if self._tokens.peek(1) == "(" and name in _SET_FUNCTIONS:
            first, second = self._call()
            change = _SET_FUNCTIONS[name]
            return lambda item, binding: change(first(item, binding), _needed(second(item, binding)))
        return self._operand()

    def _call(self) -> Sequence[Operand]:
        self._tokens.next()
        self._tokens.expect("(")
        return self._operands(")")

    def _operands(self, closing: str) -> Sequence[Operand]:
        operands = [self._operand()]
        while self._tokens.take(","):
            operands.append(self._operand())
        self._tokens.expect(closing)
        return operands

    def _operand(self) -> Operand:
        token = self._tokens.peek()
        if token == "?":
            self._tokens.next()
            self._parameters += 1
            return c.placeholder(str(self._parameters - 1))
        if token.startswith("'"):
            return c.literal({"S": _unquoted(self._tokens.next())})
        if token[:1].isdigit() or token == "-":
            sign = self._tokens.next() if token == "-" else ""
            return c.literal({"N": sign + self._tokens.next()})
        if token.upper() in {"TRUE", "FALSE"}:
            return c.literal({"BOOL": self._tokens.next().upper() == "TRUE"})
        if token.upper() == "SIZE" and self._tokens.peek(1) == "(":
            (argument,) = self._call()
            return c.size(argument)
        path = self._path()
        return c.at(_always(path))

    def _path(self) -> Path:
        parts: list[str | int] = [self._name()]
        while self._tokens.peek() in {".", "["}:
            if self._tokens.next() == ".":
                parts.append(self._name())
            else:
                parts.append(int(self._tokens.next()))
                self._tokens.expect("]")
        return tuple(parts)

    def _name(self) -> str:
        name = self._tokens.next()
        if not (name.startswith('"') or re.fullmatch(r"[A-Za-z_]\w*", name)):
            raise SyntaxFault(f"unexpected token {name!r}")
        if name.upper() in _KEYWORDS:
            raise SyntaxFault(f"{name} is a keyword: write it in double quotes")
        return _unquoted(name)


_KEYWORDS = {"SET", "REMOVE", "WHERE", "VALUE", "OWNER", "STATUS", "COUNT", "KEY", "ITEM", "STATE", "DATA", "TTL"}
"""Some of the reserved words that only double quotes make into names."""


def _always(path: Path) -> PathOperand:
    return lambda _: path


def _unquoted(token: str) -> str:
    quote = token[:1]
    return token[1:-1].replace(quote * 2, quote) if quote in {"'", '"'} else token


def _needed(value: Value | None) -> Value:
    if value is None:
        raise Invalid("The provided expression refers to an attribute that does not exist in the item")
    return value
