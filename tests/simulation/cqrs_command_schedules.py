"""From a seed to a whole history of commands: who asks for what, when, and what goes wrong."""

import random
from collections.abc import Sequence

from .cqrs_command_invariants import check
from .cqrs_command_world import Ask, CommandWorld
from .faults import CLIENTS, FAULTS, Chosen
from .schedules import Violation

__all__ = ["NAMES", "simulate_commands"]

TRACE_LINES = 60
NAMES = ("count", "count", "count", "begin", "even", "delete", "read")


def simulate_commands(
    seed: int,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    names: Sequence[str] = NAMES,
    budgets: Sequence[int] = (0, 2, 8, 25),
    keys: Sequence[int] = (1, 1, 2, 4),
    most: int = 16,
    lost: float = 0.3,
    adopted: float = 0.3,
) -> CommandWorld:
    """One history, run to its end and judged. Raises Violation."""
    chance = random.Random(f"commands {seed}")
    kinds = kinds or chance.sample((*FAULTS, *CLIENTS, "in progress"), chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice((0.02, 0.1, 0.3)), chance.choice(budgets), kinds, operations)
    world = CommandWorld(chance.getrandbits(64), faults, timeout=chance.choice((6.0, 25.0)))
    asks = _asks(chance, names, chance.choice(keys), most)
    world.ask(asks)
    for key in sorted({ask.key for ask in asks}):
        if chance.random() < adopted:
            world.adopt(key, chance.choice((0.2, 60.0)) * chance.random())
        if chance.random() < lost:
            world.lose(key, chance.choice((0.1, 90.0)) * chance.random())
    try:
        world.run()
        check(world)
    except AssertionError as failure:
        raise Violation(_report(seed, world, failure)) from failure
    finally:
        world.close()
    return world


def _asks(chance: random.Random, names: Sequence[str], keys: int, most: int) -> list[Ask]:
    asks: list[Ask] = []
    spread = chance.choice((0.0, 0.2, 5.0, 60.0))
    for number in range(chance.randint(2, most)):
        key = f"c{chance.randrange(keys)}"
        at = chance.random() * spread
        expects = chance.choices(("", "latest", "none"), weights=(8, 2, 1))[0]
        again = chance.choices((0, 1, 3), weights=(8, 2, 1))[0]
        name = chance.choice(names)
        id = ""
        if asks and name != "read" and chance.random() < 0.1:
            other = chance.choice(asks)
            id = "" if other.name == "read" else other.id or other.by  # somebody uses an id for another command
        asks.append(Ask(f"a{number}", name, key, at, expects if name != "read" else "", id, again))
    return asks


def _report(seed: int, world: CommandWorld, failure: AssertionError) -> str:
    trace = world.books.trace[-TRACE_LINES:]
    lines = [f"{time:12.3f} {' '.join(map(str, fields))}" for time, fields in trace]
    changes = [f"{change.at:.3f} {change.claim} {change.key}: {change.after}" for change in world.books.changes]
    asks = [str(client.ask) for client in world.clients]
    last = f"the last {len(lines)} of {len(world.books.trace)} events:"
    return "\n".join([f"{failure}", f"seed {seed}", *asks, *changes, last, *lines])
