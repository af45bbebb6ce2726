"""What scanners ask for and this shop has decided against, and why. In brackets: what decides otherwise."""

from aws_cdk import CfnResource
from constructs import IConstruct

AGAINST = {
    "AWS::DynamoDB::Table": {
        "CKV_AWS_119": "claims hold order ids and digests; the key that AWS owns is free (Defaults: encryption_key)",
    },
    "AWS::Logs::LogGroup": {
        "CKV_AWS_158": "log lines hold ids and outcomes, never an order (Defaults: encryption_key)",
    },
    "AWS::Lambda::Function": {
        "CKV_AWS_115": "its queue caps it; reserving takes from the account's pool (reserved_concurrent_executions)",
        "CKV_AWS_117": "it calls nothing but AWS; a VPC would add endpoints and their price (Defaults: vpc)",
        "CKV_AWS_173": "its variables are names of resources, no secrets (Defaults: encryption_key)",
    },
    "AWS::SNS::Topic": {
        "CKV_AWS_26": "alarms tell names and numbers, and cannot use the key that AWS manages (master_key)",
    },
}
"""Checkov's checks by resource type. cdk-nag and cfn-lint ask for nothing that the shop does not have."""


def acknowledge_decisions(scope: IConstruct) -> None:
    """Write the reasons into the template, beside what the library acknowledges itself."""
    for construct in scope.node.find_all():
        if isinstance(construct, CfnResource) and (reasons := AGAINST.get(construct.cfn_resource_type)):
            known = (construct.get_metadata("checkov") or {}).get("skip", [])
            decided = [{"id": check, "comment": reason} for check, reason in reasons.items()]
            construct.add_metadata("checkov", {"skip": [*known, *decided]})
