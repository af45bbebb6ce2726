"""A Standard state machine: its role, its log group, and the text of its definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Names, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from ._acknowledge import acknowledge, acknowledge_in_template
from ._logs import define_log_group

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .defaults import Settings

_MOST_NAME = 100  # of the part of a log group's name that is unique


def define_state_machine(
    scope: Construct,
    id: str,
    definition: Mapping[str, Any],
    allow: Callable[[iam.Role], None],
    settings: Settings,
    key: kms.IKey | None,
) -> sfn.StateMachine:
    """Define it, with a role that `allow` says more of."""
    own = "" if id == "StateMachine" else f"-{id}"
    # Step Functions writes the log group's name into a policy of the account that holds few; not under this prefix.
    name = f"/aws/vendedlogs/states/{Names.unique_resource_name(scope, separator='-', max_length=_MOST_NAME)}{own}"
    log_group = define_log_group(scope, f"{id}Logs", settings, key, name=name)
    role = iam.Role(scope, f"{id}Role", assumed_by=cast(iam.IPrincipal, iam.ServicePrincipal("states.amazonaws.com")))
    allow(role)
    if key is not None:  # CDK's own grant holds for the ARN of a machine whose name is known, which ours is not
        key.grant(role, "kms:Decrypt", "kms:GenerateDataKey")
    machine = sfn.StateMachine(
        scope,
        id,
        definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
        state_machine_type=sfn.StateMachineType.STANDARD,
        role=cast(iam.IRole, role),
        tracing_enabled=settings.tracing == lambda_.Tracing.ACTIVE,
        logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False),
        encryption_configuration=None if key is None else sfn.CustomerManagedEncryptionConfiguration(key),
    )
    reason = "X-Ray's writes and the delivery of logs have no resource to name"
    policy = cast(iam.Policy, role.node.find_child("DefaultPolicy"))
    acknowledge(policy, reason, "AwsSolutions-IAM5[Resource::*]")
    acknowledge_in_template(cast(iam.CfnPolicy, policy.node.default_child), checkov={"CKV_AWS_111": reason})
    resource = cast(sfn.CfnStateMachine, machine.node.default_child)
    acknowledge_in_template(resource, checkov={}, cfn_lint=["W3005"])  # CDK's own DependsOn
    return machine
