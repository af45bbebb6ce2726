"""CPU time of synthesising one load-leveled queue in a cold process: our construct, plain L2, Solutions Constructs."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure
from bench.layer import layer_zip
from bench.peers import solutions_constructs_python

NAMES = ("synth_cpu_vs_l2", "synth_cpu_vs_solutions_constructs")

APPS = Path(__file__).resolve().parent / "synth_apps"
ROUNDS = 7
RUNTIME = f"python3.{sys.version_info.minor}"
"""This interpreter's: for it, every build has a layer with bytecode."""


@dataclass(frozen=True)
class SynthApp:
    name: str
    python: Path


def figures() -> list[Figure]:
    ours = SynthApp("ours", Path(sys.executable))
    l2 = SynthApp("plain_l2", Path(sys.executable))
    solutions = SynthApp("solutions_constructs", solutions_constructs_python())
    with tempfile.TemporaryDirectory() as out:
        # The first run of each compiles what it imports and shows what it defines.
        ours_defines, l2_defines, solutions_defines = (_resources(app, Path(out)) for app in (ours, l2, solutions))
        seconds = _least(ours, l2, solutions, out=Path(out))
    missing = solutions_defines - ours_defines
    return [
        _ratio(NAMES[0], seconds, ours, l2, 1.15, unlike="" if ours_defines == l2_defines else str(l2_defines)),
        _ratio(NAMES[1], seconds, ours, solutions, 0.85, unlike=str(missing) if missing else ""),
    ]


def _ratio(
    name: str, seconds: Mapping[SynthApp, float], ours: SynthApp, peer: SynthApp, goal: float, *, unlike: str
) -> Figure:
    return Figure(
        name=name,
        value=None if unlike else round(seconds[ours] / seconds[peer], 3),
        unit="ratio",
        peer=None if unlike else 1.0,
        better="lower",
        goal=goal,
        measured=f"ours {seconds[ours]:.2f} s, {peer.name} {seconds[peer]:.2f} s of CPU, least of {ROUNDS} rounds",
        skipped=unlike and f"bench/synth_apps/{peer.name}.py no longer defines what our construct does: {unlike}",
    )


def _least(*apps: SynthApp, out: Path) -> Mapping[SynthApp, float]:
    """Interleaved, and the least of each: what else runs on the machine can only add."""
    rounds = [{app: _cpu_seconds(app, out) for app in apps} for _ in range(ROUNDS)]
    return {app: min(seconds[app] for seconds in rounds) for app in apps}


def _resources(app: SynthApp, out: Path) -> Counter[str]:
    """Numbers of resources by type."""
    _cpu_seconds(app, out)
    template = json.loads((out / "Orders.template.json").read_text())
    return Counter(resource["Type"] for resource in template["Resources"].values())


def _cpu_seconds(app: SynthApp, out: Path) -> float:
    """User time of the process and of the node process that it starts."""
    tools = Path(sys.executable).parent  # the same node for all
    environment = os.environ | {"CDK_VALIDATION": "false", "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else every process compiles all of aws_cdk
    with tempfile.TemporaryFile("w+") as output:
        command = [app.python, APPS / f"{app.name}.py", out, RUNTIME, layer_zip()]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{app.name} could not be synthesised:\n{output.read()}")
    return usage.ru_utime
