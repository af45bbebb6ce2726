"""`python ours.py OUT RUNTIME`: a load-leveled queue by our construct."""

import sys
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import Handler, LoadLeveledQueue

RUNTIME = lambda_.Runtime(sys.argv[2], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

app = App(outdir=sys.argv[1])
stack = Stack(app, "Orders")
LoadLeveledQueue(
    stack,
    "Fulfilment",
    max_concurrency=5,
    idempotency_key="order_id",
    consumer=Handler(FUNCTIONS, "orders:notify", runtime=RUNTIME),
)
app.synth()
