"""Filters and messages, generated from one source of chance.

`plain` ones lie where SNS, its emulators and any reading of its guide agree: the rest has its own examples.
"""

import random
from typing import Any

from serverless_patterns_runtime import Message
from serverless_patterns_runtime.fan_out_topic.filter_faults import faults

NAMES = ("kind", "place", "total", "source_ip")
WORDS = ("placed", "paid", "Paid", "cancelled", "pla", "x-paid")
NUMBERS = (-3, 0, 1, 1.5, 2, 10, 0.00001, 1_000_000_000)
ADDRESSES = ("10.0.0.7", "10.0.1.7", "192.168.0.1", "2001:db8::1")
NETWORKS = ("10.0.0.0/24", "10.0.0.0/8", "2001:db8::/32")
PATTERNS = ("p*d", "*aid", "*a*d", "canc*", "paid")
ODD_WORDS = ("5", "1.50", "true", "null", "", "a*b", "a\\b", 'say "x"', "PAID", "ä", "10.0.0", "*")
ODD_NUMBERS = (1.000001, 1.000009, -0.000001, 1e9 + 1, -2e9, 1e30, 5, True)
ODD_PATTERNS = (r"a\*b", r"a\\b", "*", r"*\*", "p*", "*5")


class Corpus:
    def __init__(self, chance: random.Random, *, plain: bool) -> None:
        self._chance, self._plain = chance, plain

    def filter(self, scope: str) -> dict[str, Any]:
        """One that SNS takes."""
        while faults(filter := self._policy(scope, alternatives=2), "body" if scope == "body" else "attributes"):
            pass  # too complex
        return filter

    def message(self, name: str = "") -> Message:
        """Attributes and body are drawn by themselves; `name` is in both."""
        return Message(
            {**self._body(), "name": name or "m"}, {**self._attributes(), **({"name": name} if name else {})}
        )

    def _policy(self, scope: str, alternatives: int) -> dict[str, Any]:
        chance = self._chance
        names = chance.sample(NAMES, chance.choice((1, 1, 2)))
        policy: dict[str, Any] = {name: self._rules(scope) for name in names}
        if scope == "body" and chance.random() < 0.3:
            policy["detail"] = {name: self._rules(scope) for name in chance.sample(NAMES, chance.randint(1, 2))}
        if scope == "body" and not self._plain and chance.random() < 0.3:
            policy["detail.kind"] = self._rules(scope)
        if alternatives and chance.random() < 0.3:
            policy["$or"] = [self._policy(scope, alternatives - 1) for _ in range(2)]
        return policy

    def _rules(self, scope: str) -> list[Any]:
        return [self._rule(scope) for _ in range(self._chance.choice((1, 1, 1, 2)))]

    def _rule(self, scope: str) -> Any:
        chance = self._chance
        word, number = chance.choice(WORDS), chance.choice(NUMBERS)
        if not self._plain and chance.random() < 0.3:
            word = chance.choice(ODD_WORDS) or "5"
        word = word.replace("\\", "\\\\").replace('"', '\\"')
        low, high = sorted(chance.sample(NUMBERS, 2))
        pattern = chance.choice(PATTERNS if self._plain else PATTERNS + ODD_PATTERNS)
        return chance.choice(
            [
                word,
                number,
                True,
                False,
                {"exists": True},
                {"exists": False},
                {"prefix": word[:2]},
                {"suffix": word[-3:]},
                {"equals-ignore-case": word},
                {"wildcard": pattern},
                {"cidr": chance.choice(NETWORKS)},
                {"numeric": [chance.choice(("=", "<", "<=", ">", ">=")), number]},
                {"numeric": [chance.choice((">", ">=")), low, chance.choice(("<", "<=")), high]},
                {"anything-but": word},
                {"anything-but": [word, chance.choice(WORDS)]},
                {"anything-but": [number]},
                *(() if self._plain and scope == "body" else self._unlike(word, pattern)),
                *(() if self._plain else (None, {"anything-but": {"prefix": ["p", word[:1]]}})),
            ]
        )

    def _unlike(self, word: str, pattern: str) -> tuple[Any, ...]:
        """Emulators take a number in a body for none of these."""
        return {"anything-but": {"prefix": word[:2]}}, {"anything-but": {"wildcard": pattern}}

    def _scalar(self, *, more: tuple[Any, ...]) -> Any:
        chance = self._chance
        if not self._plain and chance.random() < 0.3:
            return chance.choice((*ODD_WORDS, *ODD_NUMBERS, *more))
        return chance.choice((*WORDS, *NUMBERS, *ADDRESSES))

    def _list(self, more: tuple[Any, ...]) -> list[Any]:
        least = 1 if self._plain else 0
        return [self._scalar(more=(True, *more)) for _ in range(self._chance.randint(least, 3))]

    def _attributes(self) -> dict[str, Any]:
        chance = self._chance
        made: dict[str, Any] = {}
        for name in NAMES:
            match chance.randint(0, 4):
                case 0 | 1:
                    made[name] = self._scalar(more=())
                case 2:
                    made[name] = self._list(() if self._plain else (None,))
                case 3 if not self._plain:
                    made[name] = b"bytes"
                case _:
                    pass
        return {name: value for name, value in made.items() if value != "" and not isinstance(value, bool)}

    def _body(self) -> dict[str, Any]:
        return self._members() | {"detail": self._below()}

    def _members(self) -> dict[str, Any]:
        chance = self._chance
        more = () if self._plain else (None, False, {}, {"kind": "paid"}, [["paid"]])
        made: dict[str, Any] = {}
        for name in NAMES:
            match chance.randint(0, 3):
                case 0:
                    made[name] = self._scalar(more=(True, *more))
                case 1:
                    made[name] = self._list(more)
                case 2 if chance.random() < 0.3:
                    made[name] = chance.choice((True, False))
                case _:
                    pass
        return made

    def _below(self) -> Any:
        if self._plain:
            return self._members() | {"other": "x"}
        return self._chance.choice(
            (
                self._members(),
                [self._members(), self._members()],
                [[self._members()], "paid"],
                None,
                "paid",
                {"kind.x": 1},
            )
        )
