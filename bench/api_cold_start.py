"""Cold start of a deployed API function that claims nothing: instructions until the handler is loaded."""

import shutil
import tempfile
from pathlib import Path

from bench.api_environment import api_variables, write_routes
from bench.cold_process import START, START_ONLY, Deployed, compilations, delivered, million_instructions, our_layer
from bench.figure import Figure, Skipped
from bench.lambda_environment import AWS
from bench.peers import CACHE, powertools_folder
from serverless_patterns_runtime.api_proxy.contract import HANDLER, ROUTES_FILE

NAMES = ("api_cold_import_vs_powertools_asset", "api_import_compilations")

FUNCTIONS = Path(__file__).resolve().parent / "functions"
STAGE = CACHE / "api_cold_start"
ROUTES = ("GET /things", "POST /things", "GET /things/{thing_id}", "PUT /things/{thing_id}")
"""Those of functions/powertools_things.py."""


def figures() -> list[Figure]:
    shutil.rmtree(STAGE, ignore_errors=True)
    ours, peer = _ours(), _powertools()
    return [_instructions_figure(ours, peer), _compilations_figure(ours, peer)]


def _instructions_figure(ours: Deployed, peer: Deployed) -> Figure:
    try:
        jobs = ((peer, START), (ours, START), (peer, START_ONLY))
        peer_m, ours_m, nothing_m = million_instructions(*jobs)
    except Skipped as skipped:
        return Figure(name=NAMES[0], unit="ratio", better="lower", goal=0.5, skipped=str(skipped))
    return Figure(
        name=NAMES[0],
        value=round(ours_m / peer_m, 3),
        unit="ratio",
        peer=1.0,
        floor=round(nothing_m / peer_m, 3),
        better="lower",
        goal=0.5,
        measured=f"ours {ours_m:.0f} M, Powertools {peer_m:.0f} M, runtime client alone {nothing_m:.0f} M instructions",
    )


def _compilations_figure(ours: Deployed, peer: Deployed) -> Figure:
    assert ours.opt is not None
    return Figure(
        name=NAMES[1],
        value=compilations(ours, ours.opt),
        unit="files",
        peer=compilations(peer, peer.task),
        floor=0,
        better="lower",
        goal=0,
        measured="files compiled from source while the handler loads",
    )


def _ours() -> Deployed:
    with tempfile.TemporaryDirectory() as made:
        write_routes(Path(made), ROUTES)
        task = delivered(STAGE, "ours", [FUNCTIONS / "things.py", Path(made, ROUTES_FILE)])
    return Deployed(HANDLER, api_variables("things:answer", task), task=task, opt=our_layer(STAGE))


def _powertools() -> Deployed:
    """Installed into the function's folder, as its documentation says."""
    files = [FUNCTIONS / "powertools_things.py", *powertools_folder().iterdir()]
    return Deployed("powertools_things.lambda_handler", AWS, task=delivered(STAGE, "powertools", files))
