"""Cold start of a deployed router: instructions until the handler is loaded, beside one client of AWS's SDK."""

import shutil
import tempfile
from pathlib import Path

from bench.cold_figures import instruction_figures
from bench.cold_process import Deployed, delivered, our_layer
from bench.figure import Figure
from bench.lambda_environment import AWS
from bench.peers import CACHE
from bench.router_environment import router_variables, write_migration
from serverless_patterns_runtime.strangler_gateway.contract import ROUTER_HANDLER, ROUTES_FILE

NAMES = ("router_cold_import_vs_boto3_client",)

FUNCTIONS = Path(__file__).resolve().parent / "functions"
STAGE = CACHE / "router_cold_start"
SITE = "https://monolith.example.com"


def figures() -> list[Figure]:
    shutil.rmtree(STAGE, ignore_errors=True)
    return instruction_figures(_ours(), (NAMES[0], 0.6, _peer(), "runtime client and boto3"))


def _ours() -> Deployed:
    with tempfile.TemporaryDirectory() as made:
        write_migration(Path(made), SITE, percent=5, loopback=False)
        task = delivered(STAGE, "ours", [Path(made, ROUTES_FILE)])
    return Deployed(ROUTER_HANDLER, router_variables(task, SITE), task=task, opt=our_layer(STAGE))


def _peer() -> Deployed:
    task = delivered(STAGE, "peer", [FUNCTIONS / "boto3_client.py"])
    return Deployed("boto3_client.lambda_handler", AWS, task=task)
