"""`python solutions_constructs.py OUT RUNTIME`: queue, dead-letter queue and function by AWS Solutions Constructs."""

import sys
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_solutions_constructs.aws_sqs_lambda import SqsToLambda

RUNTIME = lambda_.Runtime(sys.argv[2], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

app = App(outdir=sys.argv[1])
stack = Stack(app, "Orders")
SqsToLambda(
    stack,
    "Fulfilment",
    lambda_function_props=lambda_.FunctionProps(
        code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"]),
        handler="bare_consumer.lambda_handler",
        runtime=RUNTIME,
        architecture=lambda_.Architecture.ARM_64,
    ),
)
app.synth()
