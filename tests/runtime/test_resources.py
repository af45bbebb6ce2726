"""What a business function reads by itself: the same deployed and in a unit test."""

import subprocess
import sys
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Invocation, PermanentError
from serverless_patterns_runtime.attribute_values import deserialize, serialize
from serverless_patterns_runtime.deployed_resources import KEPT_SECONDS, DeployedResources
from serverless_patterns_runtime.errors import UncommittableEffects, UnusableResource
from serverless_patterns_runtime.resources import Resources
from serverless_patterns_runtime.testing import Table

from . import scripted_aws

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:SigningKey-AbCdEf"
VARIABLES = {"SIGNING_KEY": ARN, "LIMIT": "/shop/limit", "CURRENCY": "EUR"}
ROW = {"order_id": "1", "line": 2, "total": 12.5, "tags": {"a"}, "note": None, "seal": b"\x00"}
READ = ROW | {"line": Decimal(2), "total": Decimal("12.5")}


class Deployed:
    def __init__(self) -> None:
        self.now = 0.0
        self.dynamodb = scripted_aws.dynamodb()
        self.services = {
            "dynamodb": self.dynamodb,
            "secretsmanager": scripted_aws.ScriptedClient(
                "secretsmanager", {"GetSecretValue": lambda _: {"SecretString": "s3cret"}}
            ),
            "ssm": scripted_aws.ScriptedClient("ssm", {"GetParameter": lambda _: {"Parameter": {"Value": "5"}}}),
        }
        self.asked_for: list[str] = []
        self.resources = DeployedResources(
            {"ORDERS": "Shop-Orders-1"}, client=self._client, variables=VARIABLES, clock=lambda: self.now
        )

    def _client(self, service: str) -> Any:
        self.asked_for.append(service)
        return self.services[service]


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


class S3:
    """A bucket behind a proxy that passes content on in chunks, without saying how much there is."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("EUR", "a")
        return {"Body": StreamingBody(BytesIO(self.content), None)}


def fake() -> Resources:
    table = Table(key=["order_id", "line"], items=[ROW])
    return Invocation.fake(
        tables={"ORDERS": table}, secrets={"SIGNING_KEY": "s3cret"}, parameters={"LIMIT": "5"}
    ).resources


def invocation(resources: Resources) -> Invocation:
    return Invocation(**{**vars(Invocation.fake()), "resources": resources})


def test_a_row_is_read_as_dynamodb_keeps_it_deployed_and_in_a_unit_test(deployed: Deployed) -> None:
    deployed.dynamodb.always("GetItem", {"Item": {name: serialize(value) for name, value in ROW.items()}})
    for resources in (deployed.resources, fake()):
        row = invocation(resources).table("ORDERS").get(order_id="1", line=2)
        assert row == READ
        assert {name: type(value) for name, value in row.items()} == {name: type(READ[name]) for name in READ}


def test_what_is_not_there_is_none_deployed_and_in_a_unit_test(deployed: Deployed) -> None:
    for resources in (deployed.resources, fake()):
        assert resources.table("ORDERS").get(order_id="1", line=3) is None


@pytest.mark.parametrize(
    "key",
    [
        {"order_id": "", "line": 2},
        {"order_id": "x" * 2049, "line": 2},
        {"order_id": "ä" * 1025, "line": 2},
        {"order_id": "\ud800", "line": 2},
        {"order_id": b"", "line": 2},
        {"order_id": "1", "line": 10**40 + 1},
        {"order_id": "1", "line": float("nan")},
    ],
)
def test_what_no_item_can_have_for_a_key_is_not_there_and_dynamodb_is_not_asked(
    deployed: Deployed, key: dict[str, Any]
) -> None:
    """Callers choose keys: none of theirs may be an error of ours."""
    for resources in (deployed.resources, fake()):
        assert resources.table("ORDERS").get(**key) is None
    assert deployed.dynamodb.requests("GetItem") == []


def test_a_sort_key_that_is_too_long_is_not_there_and_another_refusal_is_an_error(deployed: Deployed) -> None:
    words = "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    deployed.dynamodb.always("GetItem", scripted_aws.error("GetItem", "ValidationException", words))
    assert deployed.resources.table("ORDERS").get(order_id="x" * 1025) is None
    deployed.dynamodb.always(
        "GetItem", scripted_aws.error("GetItem", "ValidationException", "does not match the schema")
    )
    with pytest.raises(ClientError):
        deployed.resources.table("ORDERS").get(order_id="1")


def test_a_row_is_read_from_the_physical_table_as_of_now(deployed: Deployed) -> None:
    deployed.resources.table("ORDERS").get(order_id="1", line=2)
    assert deployed.dynamodb.requests("GetItem") == [
        {"TableName": "Shop-Orders-1", "Key": {"order_id": {"S": "1"}, "line": {"N": "2"}}, "ConsistentRead": True}
    ]


def test_any_name_of_an_attribute_can_be_a_key() -> None:
    table = Table(key=["self", "sort-key"], items=[{"self": 1, "sort-key": 2}])
    assert Invocation.fake(tables={"T": table}).table("T").get(**{"self": 1, "sort-key": 2})


@pytest.mark.parametrize("key", [{"order_id": "1"}, {"order_id": "1", "line": 2, "total": 1}, {}])
def test_a_key_that_dynamodb_would_refuse_is_refused_in_a_unit_test(key: dict[str, Any]) -> None:
    with pytest.raises(UncommittableEffects):
        fake().table("ORDERS").get(**key)


def test_what_is_read_in_a_unit_test_is_a_copy() -> None:
    resources = fake()
    row = resources.table("ORDERS").get(order_id="1", line=2)
    assert row is not None
    row["tags"].add("b")
    assert resources.table("ORDERS").get(order_id="1", line=2) == READ


def test_secrets_and_parameters_are_read_by_arn_and_by_name(deployed: Deployed) -> None:
    for resources in (deployed.resources, fake()):
        assert invocation(resources).secret("SIGNING_KEY") == "s3cret"
        assert invocation(resources).parameter("LIMIT") == "5"
    assert deployed.services["secretsmanager"].requests("GetSecretValue") == [{"SecretId": ARN}]
    assert deployed.services["ssm"].requests("GetParameter") == [{"Name": "/shop/limit", "WithDecryption": True}]


def test_a_secret_is_kept_for_five_minutes_and_then_read_again(deployed: Deployed) -> None:
    deployed.services["secretsmanager"].script("GetSecretValue", {"SecretString": "old"}, {"SecretString": "new"})
    assert deployed.resources.secret("SIGNING_KEY") == "old"
    deployed.now = KEPT_SECONDS - 1
    assert deployed.resources.secret("SIGNING_KEY") == "old"
    deployed.now = KEPT_SECONDS
    assert deployed.resources.secret("SIGNING_KEY") == "new"
    assert KEPT_SECONDS == 300


def test_a_failed_read_is_not_kept(deployed: Deployed) -> None:
    refused = scripted_aws.error("GetSecretValue", "AccessDeniedException")
    deployed.services["secretsmanager"].script("GetSecretValue", refused, {"SecretString": "s3cret"})
    with pytest.raises(type(refused)):
        deployed.resources.secret("SIGNING_KEY")
    assert deployed.resources.secret("SIGNING_KEY") == "s3cret"


def test_a_secret_and_a_parameter_of_one_name_are_not_mixed_up(deployed: Deployed) -> None:
    assert deployed.resources.secret("SIGNING_KEY") == "s3cret"
    assert deployed.resources.parameter("SIGNING_KEY") == "5"


def test_a_function_that_reads_nothing_pays_for_no_client(deployed: Deployed) -> None:
    assert deployed.asked_for == []


def test_at_init_the_clients_are_made_for_what_there_is_to_read(deployed: Deployed) -> None:
    deployed.resources.prepare()
    assert deployed.asked_for == ["dynamodb", "secretsmanager"]
    assert [client.calls for client in deployed.services.values()] == [[], [], []]
    deployed.asked_for.clear()
    DeployedResources({}, client=deployed._client, variables={"CURRENCY": "EUR"}).prepare()
    assert deployed.asked_for == []


def test_a_function_that_reads_nothing_does_not_import_botocore() -> None:
    program = (
        "import sys\nfrom serverless_patterns_runtime import deployed_resources\n"
        "assert not {'boto3', 'botocore'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", ["table", "secret", "parameter"])
def test_a_name_that_the_handler_does_not_have_is_refused_with_what_to_do(deployed: Deployed, kind: str) -> None:
    for resources in (deployed.resources, fake(), Invocation.fake().resources):
        with pytest.raises(UnusableResource) as refused:
            getattr(invocation(resources), kind)("ORDERZ")
        assert f"asks for the {kind} 'ORDERZ'" in refused.value.message
        assert f"Handler({kind}s=...)" in refused.value.message


def test_a_secret_that_holds_bytes_says_so(deployed: Deployed) -> None:
    deployed.services["secretsmanager"].always("GetSecretValue", {"SecretBinary": b"\x00"})
    with pytest.raises(UnusableResource, match="store it as text"):
        deployed.resources.secret("SIGNING_KEY")


def test_secrets_are_not_shown_by_an_invocation() -> None:
    assert "s3cret" not in repr(Invocation.fake(secrets={"SIGNING_KEY": "s3cret"}))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text()
    | st.binary()
    | st.sets(st.text(min_size=1), min_size=1),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
)


@given(VALUES)
def test_what_was_written_is_read(value: Any) -> None:
    assert deserialize(serialize(value)) == value


def test_an_object_of_unknown_length_is_read_and_one_that_is_too_large_is_not_kept() -> None:
    bucket = DeployedResources({}, client=lambda _: S3(b"abc"), variables={"IMAGES": "EUR"}).bucket("IMAGES")
    assert bucket.get("a", most_bytes=3) == b"abc"
    with pytest.raises(PermanentError, match="at most 2 are read"):
        bucket.get("a", most_bytes=2)
