"""What a further route of an API costs: CPU time of synthesising it, and how many of a stack's 500 resources.

The CPU time is that of a warm process, so that imports and a cold compiler do not make the first routes look dear. What
an API has only once is subtracted.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.figure import Figure
from bench.synth import RUNTIME

NAMES = ("synth_routes_100_per_route_vs_10", "resources_per_route")
UNITS = ("ratio", "resources")

APP = Path(__file__).resolve().parent / "synth_apps/api_routes.py"
FEW, SOME, MANY = 2, 10, 100


class Synthesised(NamedTuple):
    seconds: Mapping[int, float]
    """By number of routes."""
    resources: Mapping[int, int]

    def seconds_per_route(self, count: int) -> float:
        return (self.seconds[count] - self.seconds[FEW]) / (count - FEW)

    @property
    def ratio(self) -> float:
        return round(self.seconds_per_route(MANY) / self.seconds_per_route(SOME), 3)

    @property
    def resources_per_route(self) -> float:
        return round((self.resources[MANY] - self.resources[SOME]) / (MANY - SOME), 3)


def figures() -> list[Figure]:
    if not Path("/proc/self/stat").exists():
        why = "needs Linux: the CPU time of the CDK's own processes is read from /proc"
        return [
            Figure(name=name, unit=unit, better="lower", skipped=why) for name, unit in zip(NAMES, UNITS, strict=True)
        ]
    ours, plain = _measured()
    return [
        Figure(
            name=NAMES[0],
            value=ours.ratio,
            unit=UNITS[0],
            peer=plain.ratio,
            better="lower",
            goal=1.1,
            measured=f"ours {_milliseconds(ours)}, plain L2 {_milliseconds(plain)} ms of CPU a route at 100 and at 10",
        ),
        Figure(
            name=NAMES[1],
            value=ours.resources_per_route,
            unit=UNITS[1],
            peer=plain.resources_per_route,
            better="lower",
            measured=f"a method each, a path for two, a model for four, one function: {ours.resources[MANY]} for 100"
            f" routes, plain L2 {plain.resources[MANY]}",
        ),
    ]


def _measured() -> tuple[Synthesised, Synthesised]:
    tools = Path(sys.executable).parent  # the node that is there
    environment = os.environ | {"CDK_VALIDATION": "false", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([sys.executable, APP, RUNTIME], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{APP.name} could not be synthesised:\n{done.stdout}{done.stderr}")
    results = json.loads(done.stdout)
    return _synthesised(results["ours"]), _synthesised(results["plain_l2"])


def _synthesised(result: Mapping[str, Mapping[str, float]]) -> Synthesised:
    by_count = {int(count): one for count, one in result.items()}
    return Synthesised(
        seconds={count: one["cpu_seconds"] for count, one in by_count.items()},
        resources={count: int(one["resources"]) for count, one in by_count.items()},
    )


def _milliseconds(synthesised: Synthesised) -> str:
    return " and ".join(f"{synthesised.seconds_per_route(count) * 1000:.1f}" for count in (MANY, SOME))
