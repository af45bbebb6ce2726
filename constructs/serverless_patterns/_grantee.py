"""Whoever is allowed something: refused in words where it is nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._checks import Problems
from ._shapes import told
from .handler import Handler

if TYPE_CHECKING:
    from constructs import IConstruct


def check_grantee(construct: IConstruct, method: str, grantee: Any) -> None:
    """Refuse what CDK would refuse with an error of its own.

    Args:
        construct: The pattern.
        method: As the user calls it.
        grantee: What the user gave.
    """
    if hasattr(grantee, "grant_principal"):
        return
    problems, fix = Problems(f"{construct.node.path}.{method}"), "pass a function, a role or a user"
    if isinstance(grantee, Handler):
        fix = f"its function is defined later: pass Handler(grants=[...{method}])"
    problems.add("grantee", "be an iam.IGrantable", told(grantee), fix)
    problems.raise_any()
