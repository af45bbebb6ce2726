"""The deployed API as callers and an operator see it."""

import json
from typing import Any
from uuid import uuid4

from botocore.credentials import Credentials

from serverless_patterns.testing import Cloud, Deployment
from tests.live.api_stack import ApiStack
from tests.live.rest_calls import Answer, Api

PASSWORD = "Correct-horse-1"


class LiveApi:
    def __init__(self, cloud: Cloud, deployment: Deployment, stack: ApiStack) -> None:
        self.cloud = cloud
        self.stack = stack
        self.named = deployment.physical_id
        self.api = Api(deployment.url(stack.api))
        self._ledger = deployment.physical_id(stack.ledger)
        self._keys: list[dict[str, str]] = []

    def close(self) -> None:
        """Take away what would keep the stack from being deleted."""
        for key in self._keys:
            self.cloud.client("iam").delete_access_key(**key)

    def call(self, route: str, body: Any = None, *, caller: str | None = "ann", **headers: str) -> Answer:
        """As somebody whom the Lambda authorizer knows: `call("POST /x", {}, Idempotency_Key="k-1")`."""
        return self.api.call(route, body, written(headers, caller))

    def at_once(self, times: int, route: str, body: Any, *, caller: str = "ann", **headers: str) -> list[Answer]:
        """The same call in parallel."""
        return self.api.at_once(times, route, body, written(headers, caller))

    def row(self, id: str) -> dict[str, Any]:
        """What the ledger has under an id: numbers as numbers; empty: nothing."""
        client = self.cloud.client("dynamodb")
        item = client.get_item(TableName=self._ledger, Key={"id": {"S": id}}, ConsistentRead=True).get("Item", {})
        return {name: float(value["N"]) if "N" in value else next(iter(value.values())) for name, value in item.items()}

    def credentials(self, user: Any) -> Credentials:
        """A new access key of an IAM user of the stack."""
        key = self.cloud.client("iam").create_access_key(UserName=self.named(user))["AccessKey"]
        self._keys.append({"UserName": key["UserName"], "AccessKeyId": key["AccessKeyId"]})
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def sign_in(self) -> str:
        """A new user of the pool; their token."""
        client, pool, name = self.cloud.client("cognito-idp"), self.named(self.stack.pool), f"user-{uuid4()}"
        client.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
        client.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
        answer = client.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=self.named(self.stack.client),
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )
        return answer["AuthenticationResult"]["IdToken"]

    def logged(self, function: Any) -> list[dict[str, Any]]:
        """What a function logged as JSON."""
        return [json.loads(line) for line in self.cloud.logs(self.named(function)) if line.startswith("{")]


def written(headers: dict[str, str], caller: str | None) -> dict[str, str]:
    """Names as HTTP writes them, and the caller's credential."""
    plain = {name.replace("_", "-"): value for name, value in headers.items()}
    return plain if caller is None else {"Authorization": f"Bearer {caller}", **plain}
