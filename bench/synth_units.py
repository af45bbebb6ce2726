"""What a further unit of a construct costs, a route say: CPU time of synthesising it, and how many resources it is.

The CPU time is that of a warm process, so that imports and a cold compiler do not make the first units look dear. What
a construct has only once is subtracted.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.figure import Figure, Skipped
from bench.peers import ROOT
from bench.synth import RUNTIME

__all__ = ["unit_figures"]


class Synthesised(NamedTuple):
    seconds: Mapping[int, Sequence[float]]
    """By number of units, of each round; the fewest first: with these a construct has all that it has only once."""
    resources: Mapping[int, int]

    def seconds_per_unit(self, count: int) -> Sequence[float]:
        """Of each round."""
        fewest = min(self.seconds)
        pairs = zip(self.seconds[count], self.seconds[fewest], strict=True)
        return [(all_of_them - those_few) / (count - fewest) for all_of_them, those_few in pairs]

    @property
    def ratio(self) -> float:
        """Of what a unit costs among many to what it costs among some: the median of all rounds.

        The difference between two small apps is little, and noisy; a round in which it is odd has no say.
        """
        _, some, many = sorted(self.seconds)
        pairs = zip(self.seconds_per_unit(many), self.seconds_per_unit(some), strict=True)
        return round(median(among_many / among_some for among_many, among_some in pairs), 3)

    @property
    def resources_per_unit(self) -> float:
        _, some, many = sorted(self.resources)
        return round((self.resources[many] - self.resources[some]) / (many - some), 3)

    @property
    def milliseconds(self) -> str:
        """A unit, among many and among some."""
        _, some, many = sorted(self.seconds)
        return " and ".join(f"{median(self.seconds_per_unit(count)) * 1000:.1f}" for count in (many, some))


def unit_figures(app: str, names: Sequence[str], unit: str, made_of: str) -> list[Figure]:
    """The ratio, which has a goal, and the resources. `app`: name of a module in `synth_apps`; `unit`: of what."""
    kinds = ("ratio", "resources")
    try:
        ours, plain = _measured(app)
    except Skipped as why:
        return [
            Figure(name=name, unit=kind, better="lower", skipped=str(why))
            for name, kind in zip(names, kinds, strict=True)
        ]
    _, some, many = sorted(ours.seconds)
    return [
        Figure(
            name=names[0],
            value=ours.ratio,
            unit=kinds[0],
            peer=plain.ratio,
            better="lower",
            goal=1.1,
            measured=f"ours {ours.milliseconds}, plain L2 {plain.milliseconds} ms of CPU a {unit}"
            f" at {many} and at {some}",
        ),
        Figure(
            name=names[1],
            value=ours.resources_per_unit,
            unit=kinds[1],
            peer=plain.resources_per_unit,
            better="lower",
            measured=f"{made_of}: {ours.resources[many]} for {many} {unit}s, plain L2 {plain.resources[many]}",
        ),
    ]


def _measured(app: str) -> tuple[Synthesised, Synthesised]:
    """Ours and plain L2. Raises Skipped."""
    if not Path("/proc/self/stat").exists():
        raise Skipped("needs Linux: the CPU time of the CDK's own processes is read from /proc")
    tools = Path(sys.executable).parent  # the node that is there
    environment = os.environ | {"CDK_VALIDATION": "false", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", f"bench.synth_apps.{app}", RUNTIME]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{app} could not be synthesised:\n{done.stdout}{done.stderr}")
    results = json.loads(done.stdout)
    return _synthesised(results["ours"]), _synthesised(results["plain_l2"])


def _synthesised(result: Mapping[str, Mapping[str, Any]]) -> Synthesised:
    by_count = {int(count): one for count, one in result.items()}
    return Synthesised(
        seconds={count: one["cpu_seconds"] for count, one in by_count.items()},
        resources={count: int(one["resources"]) for count, one in by_count.items()},
    )
