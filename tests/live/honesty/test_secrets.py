"""Secrets of a stack, which functions and their policies know by ARN."""

import json
from collections.abc import Generator

import pytest
from botocore.exceptions import ClientError

from serverless_patterns.testing import EmbeddedCloud

STACK = "honesty-secret"


def template(description: str) -> str:
    secret = {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"Description": description, "GenerateSecretString": {"PasswordLength": 20}},
    }
    return json.dumps({"Resources": {"Secret": secret}, "Outputs": {"Reference": {"Value": {"Ref": "Secret"}}}})


@pytest.fixture
def reference(cloud: EmbeddedCloud) -> Generator[str]:
    client = cloud.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=template("as made"))
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
    yield stack["Outputs"][0]["OutputValue"]
    client.delete_stack(StackName=STACK)


def test_a_reference_to_a_secret_is_its_arn(cloud: EmbeddedCloud, reference: str) -> None:
    assert reference.startswith("arn:aws:secretsmanager:")
    assert len(cloud.client("secretsmanager").get_secret_value(SecretId=reference)["SecretString"]) == 20


def test_an_update_reaches_the_secret_and_keeps_its_value(cloud: EmbeddedCloud, reference: str) -> None:
    secrets, client = cloud.client("secretsmanager"), cloud.client("cloudformation")
    before = secrets.get_secret_value(SecretId=reference)["SecretString"]
    client.update_stack(StackName=STACK, TemplateBody=template("as changed"))
    client.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    assert secrets.describe_secret(SecretId=reference)["Description"] == "as changed"
    assert secrets.get_secret_value(SecretId=reference)["SecretString"] == before


def test_a_secret_ends_with_its_stack(cloud: EmbeddedCloud, reference: str) -> None:
    client = cloud.client("cloudformation")
    client.delete_stack(StackName=STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match=r"ResourceNotFound|marked deleted|marked for deletion"):
        cloud.client("secretsmanager").get_secret_value(SecretId=reference)
