"""What a table's aggregates go through, from a seed."""

import random
from typing import Any


def history(seed: int, keys: list[str], steps: int) -> list[tuple[str, str, Any, str]]:
    """Commands on aggregates that come, change, go and come again; some rows go from one to another."""
    chance = random.Random(seed)
    there: set[str] = set()
    found: list[tuple[str, str, Any, str]] = []
    for step in range(steps):
        key = chance.choice(keys)
        lines = {f"p{chance.randrange(4)}": chance.randrange(100) for _ in range(chance.randrange(4))}
        said = {"customer": f"c{chance.randrange(3)}", "lines": lines}
        name = "place" if key not in there else chance.choice(["change", "change", "count", "withdraw"])
        body = {"by": f"s{step}"} if name == "count" else said
        (there.discard if name == "withdraw" else there.add)(key)
        found.append((name, key, body, f"h-{seed}-{step}"))
    return found
