"""The layer that holds the runtime of the patterns: built with the wheel, found beside this file."""

from pathlib import Path

from aws_cdk import Stack, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from ._layer_age import check_current
from ._runtime import python_version

_LAYERS = Path(__file__).parent / "_layers"


def runtime_layer(scope: Construct, runtime: lambda_.Runtime, python: str) -> lambda_.ILayerVersion:
    """The stack's one layer for a runtime, defined when first asked for.

    Args:
        scope: Somewhere in the stack.
        runtime: What the function says it runs on.
        python: The version that really runs it, such as `3.14`: another one on the embedded cloud.
    """
    stack = Stack.of(scope)
    id = f"ServerlessPatternsRuntime{python_version(runtime).replace('.', '')}"
    existing = stack.node.try_find_child(id)
    if existing is not None:
        return existing  # pyright: ignore[reportReturnType]
    archive = _LAYERS / f"layer-python{python}.zip"
    precompiled = archive.is_file()
    if not precompiled:
        archive = _LAYERS / "layer-source.zip"
    check_current(archive)
    layer = lambda_.LayerVersion(
        stack,
        id,
        code=lambda_.Code.from_asset(str(archive)),
        compatible_runtimes=[runtime],
        description="Runtime of serverless_patterns, with Powertools",
    )
    if not precompiled:
        Validations.of(layer).add_warning(
            "serverless-patterns:layer-source",
            f"this build of serverless_patterns had no Python {python}: its layer is compiled at every cold start; "
            f"build the wheel where Python {python} is, or run functions of yours on another, by Handler(runtime=...)",
        )
    return layer
