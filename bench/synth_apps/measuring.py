"""What an app of N units costs to synthesise, by our construct and by the CDK's own, in one warm process."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from aws_cdk import App, Stack

__all__ = ["measure"]

NO_LIMIT = {"@aws-cdk/core:stackResourceLimit": 0}
"""A stack holds 500 resources, and fifty units may be more: what is asked is what each costs."""

Makers = Mapping[str, Callable[[Stack, int], None]]


def measure(makers: Makers, apps: Mapping[int, int], rounds: int) -> str:
    """JSON: by maker and number of units the CPU seconds of one app, from `App()` to its template, a round, and its
    resources.

    Args:
        makers: By name; each fills a stack with so many units.
        apps: By number of units, how many are timed together, so that each takes a good while of the kernel's clock;
            small ones first: they warm everything that the large one would otherwise pay for.
        rounds: Each measures all apps, so that what disturbs one disturbs the others of its round.
    """
    resources = {maker: {count: _synthesise(makers[maker], count) for count in apps} for maker in makers}
    timed = [
        {(maker, count): _timed(makers[maker], count, apps[count]) for maker in makers for count in apps}
        for _ in range(rounds)
    ]
    result = {
        maker: {
            count: {"cpu_seconds": [one[maker, count] for one in timed], "resources": resources[maker][count]}
            for count in apps
        }
        for maker in makers
    }
    return json.dumps(result)


def _synthesise(make: Callable[[Stack, int], None], count: int) -> int:
    """Number of resources."""
    with tempfile.TemporaryDirectory() as out:
        app = App(outdir=out, context=NO_LIMIT)
        make(Stack(app, "Things"), count)
        app.synth()
        return len(json.loads(Path(out, "Things.template.json").read_text())["Resources"])


def _timed(make: Callable[[Stack, int], None], count: int, times: int) -> float:
    before = _cpu_seconds()
    for _ in range(times):
        _synthesise(make, count)
    return (_cpu_seconds() - before) / times


def _cpu_seconds() -> float:
    """Of this process and of all that it started: the CDK runs in node, two processes down."""
    parents = dict(_processes())

    def of(process: int) -> int:
        return parents[process][1] + sum(of(child) for child, (parent, _) in parents.items() if parent == process)

    return of(os.getpid()) / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """Id; parent, clock ticks in user and kernel mode."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            yield int(folder.name), (int(fields[1]), int(fields[11]) + int(fields[12]))
