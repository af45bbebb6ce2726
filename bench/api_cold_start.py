"""Cold start of a deployed API function that claims nothing: instructions until the handler is loaded."""

import shutil
import tempfile
from pathlib import Path

from bench.api_environment import api_variables, write_routes
from bench.cold_figures import compilations_figure, instruction_figures
from bench.cold_process import Deployed, delivered, our_layer
from bench.figure import Figure
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
    return [
        *instruction_figures(ours, (NAMES[0], 0.5, peer, "Powertools")),
        compilations_figure(NAMES[1], ours, peer),
    ]


def _ours() -> Deployed:
    with tempfile.TemporaryDirectory() as made:
        write_routes(Path(made), ROUTES)
        task = delivered(STAGE, "ours", [FUNCTIONS / "things.py", Path(made, ROUTES_FILE)])
    return Deployed(HANDLER, api_variables("things:answer", task), task=task, opt=our_layer(STAGE))


def _powertools() -> Deployed:
    """Installed into the function's folder, as its documentation says."""
    files = [FUNCTIONS / "powertools_things.py", *powertools_folder().iterdir()]
    return Deployed("powertools_things.lambda_handler", AWS, task=delivered(STAGE, "powertools", files))
