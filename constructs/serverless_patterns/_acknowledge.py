"""Scanner findings that are false by structure, acknowledged beside the resource, with the reason."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Tell scanners that read the construct tree (cdk-nag) why these rules do not apply."""
    Validations.of(construct).acknowledge(*[Acknowledgment(id=rule, reason=reason) for rule in rules])


def acknowledge_in_template(resource: CfnResource, *, checkov: Mapping[str, str], cfn_lint: Sequence[str] = ()) -> None:
    """Tell scanners that read the template which of their checks do not apply.

    Args:
        resource: Gets the metadata.
        checkov: Reasons by check.
        cfn_lint: Checks; cfn-lint keeps no reasons, so the caller's code says them.
    """
    if checkov:
        before = cast("Mapping[str, list[Any]]", resource.get_metadata("checkov") or {}).get("skip", [])
        skipped = [{"id": check, "comment": why} for check, why in checkov.items()]
        resource.add_metadata("checkov", {"skip": [*before, *skipped]})
    if cfn_lint:
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": list(cfn_lint)}})


def acknowledge_wildcard(policy: IConstruct, arn: str, reason: str) -> None:
    """Tell cdk-nag why a policy names this ARN, which ends in a wildcard: this one, and no other."""
    acknowledge(policy, reason, f"AwsSolutions-IAM5[Resource::{_as_nag_writes(Stack.of(policy).resolve(arn))}]")


def _as_nag_writes(arn: Any) -> str:
    match arn:
        case {"Fn::Join": [_, parts]}:
            return "".join(_as_nag_writes(part) for part in parts)
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case _:
            return str(arn)
