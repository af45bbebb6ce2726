"""What a business function needs, and nothing of AWS: importable anywhere, with the standard library alone."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverless_patterns_runtime.approval_request import ApprovalRequest
    from serverless_patterns_runtime.command import Command, Decision
    from serverless_patterns_runtime.completion import Completion
    from serverless_patterns_runtime.conditions import Attr
    from serverless_patterns_runtime.cqrs_queries.view import Page, read_view
    from serverless_patterns_runtime.cqrs_views.sources import Sources
    from serverless_patterns_runtime.effects import Check, Delete, Effects, Put, Update
    from serverless_patterns_runtime.errors import KeyExpired, PermanentError, PublishFailed, Unsettled
    from serverless_patterns_runtime.fan_out_topic.matching import matches
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.fan_out_topic.publishing import publish
    from serverless_patterns_runtime.gathered import FailedItem, Gathered
    from serverless_patterns_runtime.invocation import Invocation
    from serverless_patterns_runtime.request import Caller, Request
    from serverless_patterns_runtime.response import Response
    from serverless_patterns_runtime.step_input import StepError, StepInput

__all__ = [
    "ApprovalRequest",
    "Attr",
    "Caller",
    "Check",
    "Command",
    "Completion",
    "Decision",
    "Delete",
    "Effects",
    "FailedItem",
    "Gathered",
    "Invocation",
    "KeyExpired",
    "Message",
    "Page",
    "PermanentError",
    "PublishFailed",
    "Put",
    "Request",
    "Response",
    "Sources",
    "StepError",
    "StepInput",
    "Unsettled",
    "Update",
    "matches",
    "publish",
    "read_view",
]

_MODULES = {
    "approval_request": ("ApprovalRequest",),
    "command": ("Command", "Decision"),
    "completion": ("Completion",),
    "conditions": ("Attr",),
    "cqrs_queries.view": ("Page", "read_view"),
    "cqrs_views.sources": ("Sources",),
    "effects": ("Check", "Delete", "Effects", "Put", "Update"),
    "errors": ("KeyExpired", "PermanentError", "PublishFailed", "Unsettled"),
    "fan_out_topic.matching": ("matches",),
    "fan_out_topic.message": ("Message",),
    "fan_out_topic.publishing": ("publish",),
    "gathered": ("FailedItem", "Gathered"),
    "invocation": ("Invocation",),
    "request": ("Caller", "Request"),
    "response": ("Response",),
    "step_input": ("StepError", "StepInput"),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import on first use what one pattern needs: all others would pay for it at every cold start."""
        for module, names in _MODULES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
