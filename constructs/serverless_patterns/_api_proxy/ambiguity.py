"""Regular expressions that try one text in ever more ways: the time they take doubles with each character of it.

Both engines try one way after the other. When a repeated part of an expression can read a text in two ways, two such
texts behind each other can be read in four: 30 characters of a caller's choice keep a function busy until it is ended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(,?)(\d*)\})\??")
_NOWHERE = ("^", r"\Z", r"\b", r"\B")
_GROUPS = ("(", "(?:", "(?=", "(?!")
_MOST_COPIES = 64  # of places; a part that is repeated more often is looked at as if it were repeated for ever
_MOST_VARIED_COPIES = 4  # of a part of no fixed length: each multiplies the ways
_MOST_PLACES = 500
_MOST_STEPS = 500_000
_ORDINARY = frozenset(range(0x250))
_Place = TypeVar("_Place", int, tuple[int, int])


class Exponential(ValueError):
    """The text says which part of the expression it is, as far as that is known."""


def check_unambiguous(tokens: Sequence[str]) -> None:
    """Raise `Exponential` when a repeated part of the expression can read one text in two ways.

    Args:
        tokens: The expression in Python's spelling: atoms, quantifiers, groups.
    """
    reading = _Reading(tokens)
    reading.alternatives()


@dataclass
class _Part:
    """A part of the expression by its places, which are its atoms: in how many ways it begins, ends, is empty."""

    empty: int = 1
    first: Counter[int] = field(default_factory=Counter[int])
    last: Counter[int] = field(default_factory=Counter[int])
    length: int | None = 0
    """`None`: no fixed one."""


class _Reading:
    """Glushkov's automaton of an expression, in which each step remembers in how many ways it can be made."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._position = 0
        self._places: list[frozenset[int]] = []
        self._steps: dict[int, Counter[int]] = {}
        named = {ord(one) + by for token in tokens for one in _characters(token) for by in (-1, 0, 1)}
        self._sample = sorted(_ORDINARY | {code for code in named if 0 <= code <= 0xFFFF})
        self._known: dict[str, frozenset[int]] = {}

    def alternatives(self) -> _Part:
        """Up to the end, or to what closes this group. Whatever is whole is judged at once."""
        start = self._position
        whole = self._sequence()
        while self._position < len(self._tokens) and self._tokens[self._position] == "|":
            self._position += 1
            other = self._sequence()
            same = whole.length if whole.length == other.length else None
            whole = _Part(min(2, whole.empty + other.empty), whole.first + other.first, whole.last + other.last, same)
        if start == 0:
            self._judge()
        return whole

    def _sequence(self) -> _Part:
        whole = _Part()
        while self._position < len(self._tokens) and self._tokens[self._position] not in ("|", ")"):
            whole = self._joined(whole, self._quantified())
        return whole

    def _quantified(self) -> _Part:
        start = self._position
        part = self._one()
        end = self._position
        quantifier = _QUANTIFIER.fullmatch(self._tokens[end]) if end < len(self._tokens) else None
        if quantifier is None:
            return part
        least, most = _bounds(quantifier)
        copies = most is not None and most <= (
            _MOST_VARIED_COPIES if part.length is None else _MOST_COPIES // max(1, part.length)
        )
        part = self._repeated(part, least) if not copies or most is None else self._copied(part, start, least, most)
        self._position = end + 1
        return part

    def _copied(self, part: _Part, start: int, least: int, most: int) -> _Part:
        whole = _Part()
        for number in range(most):
            if number:
                self._position = start
                part = self._one()
            optional = part if number < least else _Part(min(2, part.empty + 1), part.first, part.last, None)
            whole = self._joined(whole, optional)
        return whole

    def _one(self) -> _Part:
        token = self._tokens[self._position]
        self._position += 1
        if token in _GROUPS:
            part = self.alternatives()
            self._position += 1
            return part if token in ("(", "(?:") else _Part()
        if token in _NOWHERE:
            return _Part()
        if len(self._places) >= _MOST_PLACES:
            raise Exponential(f"it repeats more than {_MOST_PLACES} places: use minLength and maxLength")
        self._places.append(self._matched(token))
        place = len(self._places) - 1
        return _Part(0, Counter({place: 1}), Counter({place: 1}), 1)

    def _joined(self, one: _Part, other: _Part) -> _Part:
        self._step(one.last, other.first)
        length = None if one.length is None or other.length is None else one.length + other.length
        first = one.first + other.first if one.empty else one.first
        last = other.last + one.last if other.empty else other.last
        return _Part(min(2, one.empty * other.empty), Counter(first), Counter(last), length)

    def _repeated(self, part: _Part, least: int) -> _Part:
        self._step(part.last, part.first)
        return _Part(1 if part.empty or least == 0 else 0, part.first, part.last, None)

    def _step(self, ends: Mapping[int, int], begins: Mapping[int, int]) -> None:
        for end, ways in ends.items():
            known = self._steps.setdefault(end, Counter())
            for begin, more in begins.items():
                known[begin] += ways * more

    def _matched(self, token: str) -> frozenset[int]:
        if token not in self._known:
            atom = re.compile(f"(?a:{token})")
            self._known[token] = frozenset(code for code in self._sample if atom.fullmatch(chr(code)))
        return self._known[token]

    def _judge(self) -> None:
        """Two ways from a place back to itself by one text, or one step on such a way that can be made twice."""
        steps = {place: [*after] for place, after in self._steps.items()}
        of_place = {place: number for number, group in enumerate(_circles(steps)) for place in group}
        pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
        waiting = [(place, place) for place in of_place]
        budget = _MOST_STEPS
        while waiting:
            pair = waiting.pop()
            if pair in pairs:
                continue
            found: list[tuple[int, int]] = []
            for one in steps.get(pair[0], ()):
                for other in steps.get(pair[1], ()):
                    budget -= 1
                    circle = of_place.get(one)
                    if circle is None or circle != of_place.get(other) or circle != of_place[pair[0]]:
                        continue
                    if self._places[one] & self._places[other]:
                        found.append((one, other) if one <= other else (other, one))
            if budget < 0:
                raise Exponential("it is too long to be judged: write a simpler one")
            pairs[pair] = found
            waiting += found
        for group in _circles(pairs):
            same = {one for one, other in group if one == other}
            twice = any(self._steps[one][other] > 1 for one in same for other in same & {*steps.get(one, ())})
            if same and (len(same) < len(group) or twice):
                raise Exponential("a repeated part of it can read the same text in several ways")


def _bounds(quantifier: re.Match[str]) -> tuple[int, int | None]:
    if quantifier[1] is None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[quantifier[0][0]]
    least = int(quantifier[1])
    return least, (int(quantifier[3]) if quantifier[3] else None) if quantifier[2] else least


def _characters(token: str) -> Iterable[str]:
    """Those that an atom names, so that what lies beside them is looked at too."""
    yield from token
    for code in re.findall(r"\\u([0-9A-Fa-f]{4})", token):
        yield chr(int(code, 16))


def _circles(steps: Mapping[_Place, Sequence[_Place]]) -> list[set[_Place]]:
    """Groups of places of which each leads to each, by one step at least: Kosaraju's way, without recursion."""
    order: list[_Place] = []
    seen: set[_Place] = set()
    for start in steps:
        waiting = [(start, False)]
        while waiting:
            place, done = waiting.pop()
            if done:
                order.append(place)
            elif place not in seen:
                seen.add(place)
                waiting += [(place, True), *((after, False) for after in steps.get(place, ()) if after not in seen)]
    back: dict[_Place, list[_Place]] = {}
    for place, after in steps.items():
        for one in after:
            back.setdefault(one, []).append(place)
    groups: list[set[_Place]] = []
    taken: set[_Place] = set()
    for start in reversed(order):
        group, among = set[_Place](), [start]
        while among:
            place = among.pop()
            if place not in taken:
                taken.add(place)
                group.add(place)
                among += back.get(place, ())
        if len(group) > 1 or any(place in steps.get(place, ()) for place in group):
            groups.append(group)
    return groups
