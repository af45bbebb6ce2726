"""`ApiAccount`: lets API Gateway write logs in an account, once for all APIs there."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from ._acknowledge import acknowledge, acknowledge_in_template
from ._grants import statement

__all__ = ["ApiAccount"]

# What API Gateway asks of the role before it takes it, on every group: it writes the logs of all APIs.
_LOGS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)


class ApiAccount(Construct):
    """The role that API Gateway writes access logs with: one for a whole account and region.

    ```python
    ApiAccount(Stack(app, "ApiAccount"), "Account")
    ```

    Deploy it once, in a stack of its own, before the first `ApiProxy`; never where the account has such a role already:
    it takes that one's place. It stays when its stack goes, because APIs of other stacks log through it.

    Args:
        scope: Parent construct.
        id: Names what is below it.

    Attributes:
        role: What API Gateway writes with.
        account: The setting of the account.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=cast(iam.IPrincipal, iam.ServicePrincipal("apigateway.amazonaws.com")),
            inline_policies={"Logs": iam.PolicyDocument(statements=[statement(_LOGS, ["*"])])},
        )
        self.account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=self.role.role_arn)
        for kept in (self.role, self.account):
            kept.apply_removal_policy(RemovalPolicy.RETAIN)
        reason = "API Gateway refuses a role that may not write every group: it logs for all APIs of the account"
        resource = cast(iam.CfnRole, self.role.node.default_child)
        acknowledge(resource, reason, "AwsSolutions-IAM5[Resource::*]")
        acknowledge_in_template(resource, checkov={"CKV_AWS_111": reason})
