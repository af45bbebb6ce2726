"""Cold start of the deployed consumer: instructions until the handler is loaded and its clients are made."""

import shutil
from pathlib import Path

from bench.cold_figures import compilations_figure, instruction_figures
from bench.cold_process import Deployed, delivered, our_layer
from bench.figure import Figure
from bench.lambda_environment import variables
from bench.peers import CACHE, powertools_folder

NAMES = ("cold_import_vs_powertools_asset", "cold_import_vs_boto3_client", "import_compilations")

FUNCTIONS = Path(__file__).resolve().parent / "functions"
STAGE = CACHE / "cold_start"
VARIABLES = variables("orders:fulfil", effects=True)


def figures() -> list[Figure]:
    shutil.rmtree(STAGE, ignore_errors=True)
    ours, peer = _ours(), _powertools()
    peers = ((NAMES[0], 0.65, peer, "Powertools"), (NAMES[1], 1.12, _bare(), "runtime client and boto3"))
    return [*instruction_figures(ours, *peers), compilations_figure(NAMES[2], ours, peer)]


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
