"""What a business function needs, and nothing of AWS: importable anywhere, with the standard library alone."""

from typing import TYPE_CHECKING

from serverless_patterns_runtime.conditions import Attr
from serverless_patterns_runtime.effects import Check, Delete, Effects, Put, Update
from serverless_patterns_runtime.errors import KeyExpired, PermanentError, Unsettled
from serverless_patterns_runtime.invocation import Invocation

if TYPE_CHECKING:
    from serverless_patterns_runtime.approval_request import ApprovalRequest
    from serverless_patterns_runtime.request import Caller, Request
    from serverless_patterns_runtime.response import Response
    from serverless_patterns_runtime.step_input import StepError, StepInput

__all__ = [
    "ApprovalRequest",
    "Attr",
    "Caller",
    "Check",
    "Delete",
    "Effects",
    "Invocation",
    "KeyExpired",
    "PermanentError",
    "Put",
    "Request",
    "Response",
    "StepError",
    "StepInput",
    "Unsettled",
    "Update",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import on first use what one pattern needs: a consumer of a queue would pay for it at every cold start."""
        if name in ("Caller", "Request"):
            from serverless_patterns_runtime import request as module
        elif name == "Response":
            from serverless_patterns_runtime import response as module
        elif name == "ApprovalRequest":
            from serverless_patterns_runtime import approval_request as module
        elif name in ("StepError", "StepInput"):
            from serverless_patterns_runtime import step_input as module
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(module, name)
