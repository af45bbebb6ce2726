"""Roles that the CDK must not change: a grant to one succeeds, and nothing comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Validations
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct


def warn_of_immutable_role(
    scope: Construct, function: lambda_.IFunction, needs: Mapping[str, Sequence[str]], otherwise: str
) -> None:
    """Say at synth what the owner of a role has to add to it, where nobody else can. Call it after the grants.

    Args:
        scope: Carries the warning.
        function: Somebody else's, with a role.
        needs: Actions, by the ARN or path of what they are on.
        otherwise: What happens without them.
    """
    role = function.role
    if role is None or isinstance(role, iam.Role):
        return
    if any(isinstance(part, iam.Policy) for part in role.node.find_all()):  # what grants made of a mutable one
        return
    statements = "; ".join(f"{', '.join(actions)} on {what}" for what, actions in needs.items())
    Validations.of(scope).add_warning(
        "serverless-patterns:immutable-role",
        f"the role {role.node.path} of {function.node.path} cannot be changed here, so nothing was granted: import it "
        f"with mutable=True, or have its owner allow {statements}; else {otherwise}",
    )
