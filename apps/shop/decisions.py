"""What scanners ask for and this shop has decided against, and why. In brackets: what decides otherwise."""

from constructs import IConstruct
from stacks.deciding import Reasons, acknowledge

AGAINST = {
    "AWS::DynamoDB::Table": {
        "CKV_AWS_119": "claims hold ids, digests, small results; the key AWS owns is free (Defaults: encryption_key)",
    },
    "AWS::Logs::LogGroup": {
        "CKV_AWS_158": "log lines hold ids and outcomes, never an order (Defaults: encryption_key)",
    },
    "AWS::Lambda::Function": {
        "CKV_AWS_115": "its queue or the API's throttle before it caps it; reserving takes from the account's pool "
        "(reserved_concurrent_executions)",
        "CKV_AWS_117": "it calls AWS, a payment provider and a chat; a VPC would add endpoints, a gateway and "
        "their price (Defaults: vpc)",
        "CKV_AWS_173": "its variables are names of resources, no secrets (Defaults: encryption_key)",
    },
    "AWS::SNS::Topic": {
        "CKV_AWS_26": "alarms tell names and numbers, and cannot use the key that AWS manages; orders are gone once "
        "they are delivered, to queues that are encrypted (master_key, encryption_key)",
    },
    "AWS::S3::Bucket": {
        "CKV_AWS_18": "large results of departments, which functions of the shop alone read; logs "
        "of that are a bucket more, and its price (access_logs)",
    },
    "AWS::SecretsManager::Secret": {
        "CKV_AWS_149": "no other account reads it; the key that AWS manages is free (encryption_key)",
    },
    "AWS::ApiGateway::Stage": {
        "CKV_AWS_120": "it shows an order as it stands now; a cache would show what it was, and bills by the hour",
    },
}
"""Checkov's checks by resource type."""

AGAINST_IN_TREE = {
    "AWS::S3::Bucket": {
        "AwsSolutions-S1": "results of departments, which functions of the shop alone read (access_logs)",
    },
    "AWS::SecretsManager::Secret": {
        "AwsSolutions-SMG4": "tokens live for an hour and a new key ends them all; rotated by hand after an incident "
        "(add_rotation_schedule). A real shop's identity provider rotates its own keys",
    },
    "AWS::ApiGateway::Stage": {
        "AwsSolutions-APIG3": "known desks call, none without a token, and schema, size and rate are bounded here. A "
        "shop that strangers may call pays $5 a month and more for a web ACL with a rule on rates (web_acl)",
    },
    "AWS::ApiGateway::Method": {
        "AwsSolutions-COG4": "callers are systems with signed tokens, which a function checks (authorizer)",
    },
}
"""cdk-nag's rules by resource type. cfn-lint asks for nothing that the shop does not have."""


OPEN = "visitors come without a login; the old site, and every new function, look at their cookies (auth)"
AGAINST_FOR_SITE = {
    **{kind: reasons for kind, reasons in AGAINST.items() if kind != "AWS::S3::Bucket"},
    "AWS::Lambda::Function": {
        **AGAINST["AWS::Lambda::Function"],
        "CKV_AWS_117": "it calls AWS and a site with a public address (LegacyBackend: vpc)",
    },
    "AWS::ApiGateway::Stage": {
        "CKV_AWS_120": "a cache would show one visitor's page to another, and bills by the hour",
    },
    "AWS::ApiGateway::Method": {"CKV_AWS_59": OPEN},
}
AGAINST_IN_TREE_FOR_SITE = {
    "AWS::SecretsManager::Secret": {
        "AwsSolutions-SMG4": "it is the old site's key, and changes when that changes it",
    },
    "AWS::ApiGateway::Stage": {
        "AwsSolutions-APIG3": "what stood in front of the old site stands in front of this; a shop that had nothing "
        "there pays $5 a month and more for a web ACL with a rule on rates (web_acl)",
    },
    "AWS::ApiGateway::Method": {"AwsSolutions-APIG4": OPEN, "AwsSolutions-COG4": OPEN},
}
"""Of the site, which is open to everybody, and was before."""


def acknowledge_decisions(
    scope: IConstruct, against: Reasons = AGAINST, against_in_tree: Reasons = AGAINST_IN_TREE
) -> None:
    acknowledge(scope, against, against_in_tree)
