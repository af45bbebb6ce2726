"""Cold start of the deployed consumer: instructions until the handler is loaded and its clients are made."""

import shutil
from pathlib import Path

from bench.cold_process import (
    START,
    START_ONLY,
    Deployed,
    compilations,
    delivered,
    million_instructions,
    our_layer,
)
from bench.figure import Figure, Skipped
from bench.lambda_environment import variables
from bench.peers import CACHE, powertools_folder

NAMES = ("cold_import_vs_powertools_asset", "cold_import_vs_boto3_client", "import_compilations")

FUNCTIONS = Path(__file__).resolve().parent / "functions"
STAGE = CACHE / "cold_start"
VARIABLES = variables("orders:fulfil", effects=True)


def figures() -> list[Figure]:
    shutil.rmtree(STAGE, ignore_errors=True)
    ours, peer, bare = _ours(), _powertools(), _bare()
    return [*_instruction_figures(ours, peer, bare), _compilations_figure(ours, peer)]


def _instruction_figures(ours: Deployed, peer: Deployed, bare: Deployed) -> list[Figure]:
    try:
        jobs = ((peer, START), (ours, START), (bare, START), (bare, START_ONLY))
        peer_m, ours_m, bare_m, nothing_m = million_instructions(*jobs)
    except Skipped as skipped:
        return [_ratio(name, goal, skipped=str(skipped)) for name, goal in ((NAMES[0], 0.65), (NAMES[1], 1.12))]
    over_peer = f"ours {ours_m:.0f} M, Powertools {peer_m:.0f} M instructions"
    over_bare = f"ours {ours_m:.0f} M, runtime client and boto3 {bare_m:.0f} M, runtime client alone {nothing_m:.0f} M"
    return [
        _ratio(NAMES[0], 0.65, value=ours_m / peer_m, floor=nothing_m / peer_m, measured=over_peer),
        _ratio(NAMES[1], 1.12, value=ours_m / bare_m, floor=nothing_m / bare_m, measured=over_bare),
    ]


def _ratio(
    name: str,
    goal: float,
    *,
    value: float | None = None,
    floor: float | None = None,
    measured: str = "",
    skipped: str = "",
) -> Figure:
    return Figure(
        name=name,
        value=value and round(value, 3),
        unit="ratio",
        peer=None if skipped else 1.0,
        floor=floor and round(floor, 3),
        better="lower",
        goal=goal,
        measured=measured,
        skipped=skipped,
    )


def _compilations_figure(ours: Deployed, peer: Deployed) -> Figure:
    assert ours.opt is not None
    return Figure(
        name=NAMES[2],
        value=compilations(ours, ours.opt),
        unit="files",
        peer=compilations(peer, peer.task),
        floor=0,
        better="lower",
        goal=0,
        measured="files compiled from source while the handler loads",
    )


def _ours() -> Deployed:
    """The user's code is zipped by the CDK."""
    return Deployed(
        "serverless_patterns_runtime.load_leveled_queue.handler.lambda_handler",
        VARIABLES,
        task=delivered(STAGE, "ours", [FUNCTIONS / "orders.py"]),
        opt=our_layer(STAGE),
    )


def _powertools() -> Deployed:
    """Installed into the function's folder, as its documentation says."""
    files = [FUNCTIONS / "powertools_consumer.py", *powertools_folder().iterdir()]
    task = delivered(STAGE, "powertools", files)
    return Deployed("powertools_consumer.lambda_handler_with_write", VARIABLES, task=task)


def _bare() -> Deployed:
    task = delivered(STAGE, "bare", [FUNCTIONS / "bare_consumer.py"])
    return Deployed("bare_consumer.lambda_handler", VARIABLES, task=task)
