"""Payloads that stand for something else, which the business function is given instead.

Keys and digests are those of what was sent; what it stands for is fetched for a try, and fetched again for the next.
"""

import os
from collections.abc import Callable
from typing import Any

__all__ = ["Open", "deployed_opening"]

Open = Callable[[Any], Any]
"""Takes what was sent. Raises PermanentError when trying again cannot help."""


def deployed_opening() -> Open | None:
    """As the environment says; None: what is sent is what is meant. Who opens nothing imports nothing."""
    open_message: Open | None = None
    if os.environ.get("CLAIM_CHECK_BUCKET"):
        from serverless_patterns_runtime.fan_out_topic.claim_opening import ClaimChecks

        open_message = ClaimChecks.deployed().open
    if os.environ.get("FAN_IN_COMPLETES") == "true":
        from serverless_patterns_runtime.fan_in.deployed import deployed_completions

        return deployed_completions(open_message).open
    return open_message
