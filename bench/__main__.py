"""`python -m bench` runs every benchmark; `python -m bench --only NAME` those whose figure's name holds NAME."""

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

from bench.figure import Figure
from bench.peers import ROOT
from bench.table import render

# The quick ones first. Each has NAMES, the figures that it gives, and figures(), which gives them.
MODULES = (
    "layer",
    "schema_validation",
    "api_dispatch",
    "round_trips",
    "breaker_requests",
    "saga_transitions",
    "router_requests",
    "router_cpu",
    "effects_wall",
    "warm_cpu",
    "idempotent_requests",
    "command_requests",
    "saga_requests",
    "fan_in_requests",
    "projection_requests",
    "rebuild_rate",
    "rebuild_latencies",
    "api_synth",
    "saga_synth",
    "fanout_synth",
    "views_synth",
    "migrated_synth",
    "api_cold_start",
    "cold_start",
    "router_cold_start",
    "synth",
    "live_drain",
    "live_fanout",
)
RESULTS = ROOT / "out/bench/results.json"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="part of a figure's name")
    parser.add_argument("--results", default=RESULTS, type=Path, metavar="FILE", help="default: out/bench/results.json")
    options = parser.parse_args(arguments)
    only: str = options.only
    modules = [module for name in MODULES if _gives(module := importlib.import_module(f"bench.{name}"), only)]
    if not modules:
        parser.error(f"no figure's name holds {only!r}")
    # The layer is measured and deployed: it must hold the source that is here now.
    subprocess.run([sys.executable, ROOT / "tools/layers.py"], check=True)
    runs = [_run(module) for module in modules]
    figures = [figure for run in runs if run for figure in run if only in figure.name]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps([figure.result() for figure in figures], indent=2) + "\n")
    print(render(figures))
    print(f"written to {options.results}")
    return 0 if all(runs) else 1


def _gives(module: ModuleType, only: str) -> bool:
    return any(only in name for name in module.NAMES)


def _run(module: ModuleType) -> list[Figure] | None:
    """In a fresh process, so that no benchmark finds what another has imported, set or warmed. None: it failed."""
    title = module.__name__.rpartition(".")[2]
    print(f"bench: {title} ...", flush=True)
    started = time.monotonic()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        try:
            figures: list[Figure] = process.submit(module.figures).result()
        except Exception as error:  # the other benchmarks still have something to say
            print(f"bench: {title} failed: {error}", file=sys.stderr, flush=True)
            return None
    print(f"bench: {title} took {time.monotonic() - started:.0f} s", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
