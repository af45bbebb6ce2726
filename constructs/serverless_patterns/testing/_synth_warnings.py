"""What the constructs warn of at synth, told to whoever deploys from Python: only the CDK CLI prints it."""

import warnings

from serverless_patterns.testing._assembly import Assembly
from serverless_patterns.testing.errors import SynthWarning

__all__ = ["warned_of"]

_CALLER_OF_DEPLOY = 3


def warned_of(assembly: Assembly) -> Assembly:
    """The same, when each has been told in one line."""
    for stack in assembly.stacks:
        for text in stack.warnings:
            warnings.warn(f"synth warns: {text}", SynthWarning, stacklevel=_CALLER_OF_DEPLOY)
    return assembly
