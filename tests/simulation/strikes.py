"""What goes wrong as a value: which request it strikes, and with what."""

from collections.abc import Sequence
from dataclasses import dataclass

from .choosing import Choices
from .faults import Call

__all__ = ["Strike", "Strikes", "strikes"]


@dataclass(frozen=True, order=True)
class Strike:
    number: int
    """Of the first call that it strikes, counted from 0, of those that it can."""
    kind: str
    times: int = 1
    """So many in a row."""

    def __str__(self) -> str:
        more = "" if self.times == 1 else f" and the {self.times - 1} after it"
        return f"{self.kind} at call {self.number}{more}"


class Strikes:
    """Each on its own: what two would strike, one of them strikes, and the other the next one."""

    def __init__(self, chosen: Sequence[Strike], operations: Sequence[str] = ()) -> None:
        self._chosen = [_Counted(strike, strike.times) for strike in chosen]
        self._operations = operations
        """Requests for these alone, if any are named."""
        self.spent = 0

    def choose(self, call: Call) -> str | None:
        if self._operations and call.operation not in (*self._operations, "Poll"):
            return None
        struck = None
        for one in self._chosen:
            if one.strike.kind in call.possible and one.left:
                if one.seen >= one.strike.number and struck is None:
                    struck = one
                one.seen += 1
        if struck is None:
            return None
        struck.left -= 1
        self.spent += 1
        return struck.strike.kind

    def spend(self) -> bool:
        return False

    def end(self) -> None:
        """From now on nothing goes wrong."""
        self._chosen.clear()


@dataclass
class _Counted:
    strike: Strike
    left: int
    seen: int = 0


def strikes(
    choices: Choices, kinds: Sequence[str], *, most: int = 25, latest: int = 120, times: Sequence[int] = (1, 1, 1, 5)
) -> list[Strike]:
    """None at all, a few, or many."""
    latest = choices.of([number for number in (4, 30, 120) if number <= latest])

    def one(choices: Choices) -> Strike:
        return Strike(choices.of(range(latest + 1)), choices.of(kinds), choices.of(times))

    return choices.some(one, choices.of([least for least in (0, 0, 2, 8) if least <= most]), most) if most else []
