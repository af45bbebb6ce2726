"""What a business function needs, and nothing of AWS: importable anywhere, with the standard library alone."""

from serverless_patterns_runtime.conditions import Attr
from serverless_patterns_runtime.effects import Check, Delete, Effects, Put, Update
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Caller, Request
from serverless_patterns_runtime.response import Response
from serverless_patterns_runtime.step_input import StepError, StepInput

__all__ = [
    "Attr",
    "Caller",
    "Check",
    "Delete",
    "Effects",
    "Invocation",
    "PermanentError",
    "Put",
    "Request",
    "Response",
    "StepError",
    "StepInput",
    "Update",
]
