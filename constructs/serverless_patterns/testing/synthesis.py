"""Apps that go to an emulator, and how an app becomes a cloud assembly."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serverless_patterns.testing._assembly import Assembly

if TYPE_CHECKING:
    from aws_cdk import App

__all__ = ["LOCAL_CONTEXT", "from_app", "local_app", "synth_arguments"]

LOCAL = "serverless-patterns:local"
LOCAL_CONTEXT: Mapping[str, Any] = {LOCAL: "true"}
"""Context of an app that goes to an emulator: dependencies are installed for the interpreter that runs the tests."""


def local_app(output: Path) -> "App":
    """An empty CDK app for an emulator.

    Its stacks deploy with the caller's credentials: an emulator that enforces IAM refuses the bootstrap roles.

    Args:
        output: Where it is synthesised to; a folder of its own, which need not exist.
    """
    import aws_cdk

    return aws_cdk.App(
        outdir=str(output),
        context=dict(LOCAL_CONTEXT),
        analytics_reporting=False,
        default_stack_synthesizer=aws_cdk.CliCredentialsStackSynthesizer(),
    )


def from_app(app: "App", context: Mapping[str, str] | None, *, local: bool) -> Assembly:
    """What an app made in the test is synthesised to.

    Raises:
        ValueError: It is made for AWS, or context is given although it has its own.
    """
    if context:
        raise ValueError("context belongs to an app in a folder: an app made in the test has its own, from cloud.app()")
    if local and app.node.try_get_context(LOCAL) != "true":
        raise ValueError("the app is made for AWS: make it with cloud.app(...), or with LOCAL_CONTEXT in its context")
    return Assembly(Path(app.synth().directory).resolve())  # the command line runs elsewhere


def synth_arguments(folder: Path, output: Path, context: Mapping[str, str] | None, *, local: bool) -> list[str]:
    """Arguments for `cdk` to synthesise the app in a folder to another.

    Raises:
        ValueError: There is no app.
    """
    if not (folder / "cdk.json").exists():
        raise ValueError(f"{folder} has no cdk.json: pass the folder of a CDK app, or an App")
    given = {**(LOCAL_CONTEXT if local else {}), **(context or {})}
    pairs = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
    return ["synth", "--quiet", "--output", str(output), *pairs]
