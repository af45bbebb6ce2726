"""A demo from its start to its exit code."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from serverless_patterns.testing import CloudError
from showing.console import Console

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "out" / "demo"
SomeConsole = TypeVar("SomeConsole", bound=Console)


def play(console: SomeConsole, demo: Callable[[SomeConsole], int]) -> int:
    """What `demo` returns; 1 when it could not run, 130 when somebody stopped it."""
    # `make synth` and the tests validate the templates; here it would only cost seconds.
    os.environ.setdefault("CDK_VALIDATION", "false")
    shutil.rmtree(OUT, ignore_errors=True)  # yesterday's report must not stand for today's run
    try:
        return demo(console)
    except (CloudError, FileNotFoundError) as error:
        console.fail(str(error))
        return 1
    except KeyboardInterrupt:
        console.fail("stopped; nothing is left running")
        return 130
