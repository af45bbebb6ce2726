"""A history of commands as a value: who asks for what, when, and what goes wrong. It is carried out, and judged."""

from collections.abc import Sequence
from dataclasses import dataclass

from .choosing import Choices
from .cqrs_command_invariants import check
from .cqrs_command_world import Ask, CommandWorld
from .faults import CLIENTS, FAULTS, REPEATED
from .judging import report
from .schedules import Violation
from .strikes import Strike, Strikes, strikes

__all__ = ["NAMES", "Commands", "commands", "simulate_commands"]

NAMES = ("count", "count", "count", "begin", "even", "delete", "read")


@dataclass(frozen=True)
class Commands:
    asks: Sequence[Ask]
    strikes: Sequence[Strike] = ()
    operations: Sequence[str] = ()
    """Where they strike, if not everywhere."""
    adopted: Sequence[tuple[str, float]] = ()
    """Items from before there were versions, and when each is given one."""
    lost: Sequence[tuple[str, float]] = ()
    """Items that are deleted behind the commands' back, and when."""
    timeout: float = 25.0
    seed: int = 0
    """Of latencies and pauses."""

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, time-out {self.timeout:g} s", *map(str, self.asks), *map(str, self.strikes)]
        return "\n".join([*lines, f"adopted: {self.adopted}", f"lost: {self.lost}"])


def commands(
    choices: Choices,
    *,
    kinds: Sequence[str] = (*FAULTS, *REPEATED, *CLIENTS),
    operations: Sequence[str] = (),
    names: Sequence[str] = NAMES,
    most: int = 25,
) -> Commands:
    """`most`: strikes."""
    keys = [f"c{number}" for number in range(choices.of((1, 1, 2, 4)))]
    spread, number = choices.of((0.0, 0.2, 5.0, 60.0)), 0

    def ask(choices: Choices) -> Ask:
        nonlocal number
        number += 1
        name, key, at = choices.of(names), choices.of(keys), choices.of(range(8)) / 8 * spread
        if name == "read":
            return Ask(f"a{number}", name, key, at)
        expects, again = choices.of((*[""] * 8, "latest", "latest", "none")), choices.of((*[0] * 8, 1, 1, 3))
        # Somebody uses an id for another command.
        id = f"a{choices.of(range(1, number))}" if number > 1 and choices.of((*[False] * 9, True)) else ""
        return Ask(f"a{number}", name, key, at, expects, id, again)

    def moments(choices: Choices, longest: Sequence[float]) -> list[tuple[str, float]]:
        seldom = [key for key in keys if choices.of((False, False, True))]
        return [(key, choices.of(longest) * choices.of(range(1, 9)) / 8) for key in seldom]

    return Commands(
        choices.some(ask, choices.of((2, 6)), 16),
        strikes(choices, kinds, most=most, latest=30),
        operations,
        moments(choices, (0.2, 60.0)),
        moments(choices, (0.1, 90.0)),
        choices.of((25.0, 6.0)),
        choices.of(range(2**16)),
    )


def simulate_commands(history: Commands) -> CommandWorld:
    """Raises Violation."""
    world = CommandWorld(history.seed, Strikes(history.strikes, history.operations), timeout=history.timeout)
    world.ask(history.asks)
    for key, versioned_at in history.adopted:
        world.adopt(key, versioned_at)
    for key, at in history.lost:
        world.lose(key, at)
    try:
        world.run()
        check(world)
    except AssertionError as failure:
        changes = [f"{change.at:.3f} {change.claim} {change.key}: {change.after}" for change in world.books.changes]
        raise Violation(report(failure, world.books.trace, history, *changes)) from failure
    finally:
        world.close()
    return world
