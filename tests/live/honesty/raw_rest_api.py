"""A REST API made call by call, public unless a test says otherwise."""

from collections.abc import Mapping
from typing import Any

from serverless_patterns.testing import EmbeddedCloud
from tests.live.rest_calls import Api

REGION, ACCOUNT, STAGE = "us-east-1", "000000000000", "live"
FUNCTION_URI = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"


class RawRestApi:
    """Methods can be added and changed at any time: the emulator serves them without a new deployment."""

    def __init__(self, cloud: EmbeddedCloud, name: str, **settings: Any) -> None:
        self.client = cloud.client("apigateway")
        self._cloud = cloud
        self.id: str = self.client.create_rest_api(name=name, **settings)["id"]
        (root,) = self.client.get_resources(restApiId=self.id)["items"]
        self.root: str = root["id"]
        self._resources: dict[str, str] = {"": self.root}

    @property
    def calls(self) -> Api:
        return Api(f"{self._cloud.endpoint_url}/restapis/{self.id}/{STAGE}/_user_request_")

    def deploy(self) -> None:
        """Make the stage, or let it have what only a deployment brings: gateway responses."""
        self.client.create_deployment(restApiId=self.id, stageName=STAGE)

    def method(self, route: str, **settings: Any) -> dict[str, str]:
        """Declare a method; what identifies it in further calls."""
        http_method, _, path = route.partition(" ")
        where = {"restApiId": self.id, "resourceId": self._resource(path), "httpMethod": http_method}
        self.client.put_method(**where, **{"authorizationType": "NONE", **settings})
        return where

    def to_function(self, route: str, function_name: str, **settings: Any) -> None:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"
        uri = FUNCTION_URI.format(region=REGION, arn=arn)
        where = self.method(route, **settings)
        self.client.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)

    def to_mock(self, route: str, template: str, response: str = "", **settings: Any) -> None:
        where = self.method(route, **settings)
        self.client.put_integration(**where, type="MOCK", requestTemplates={"application/json": template})
        self.client.put_integration_response(
            **where, statusCode="200", selectionPattern="", responseTemplates={"application/json": response}
        )

    def to_queue(
        self,
        route: str,
        queue: str,
        role: str,
        template: str,
        responses: Mapping[str, tuple[str, str]],
        **settings: Any,
    ) -> None:
        """`responses`: pattern of the queue's status and template, by the status of the answer."""
        where = self.method(route, **settings)
        uri = f"arn:aws:apigateway:{REGION}:sqs:path/{ACCOUNT}/{queue}"
        self.client.put_integration(
            **where,
            type="AWS",
            integrationHttpMethod="POST",
            uri=uri,
            credentials=role,
            passthroughBehavior="NEVER",
            requestTemplates={"application/json": template},
        )
        for status, (pattern, response) in responses.items():
            self.client.put_integration_response(
                **where, statusCode=status, selectionPattern=pattern, responseTemplates={"application/json": response}
            )

    def to_http(self, route: str, url: str, parameters: Mapping[str, str], **settings: Any) -> None:
        asked = [source for source in parameters.values() if source.startswith("method.")]
        where = self.method(route, requestParameters=dict.fromkeys(asked, False))
        self.client.put_integration(
            **where,
            type="HTTP_PROXY",
            integrationHttpMethod="ANY",
            uri=url,
            requestParameters=dict(parameters),
            **settings,
        )

    def gateway_response(self, kind: str, template: str, headers: Mapping[str, str]) -> None:
        names = {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()}
        self.client.put_gateway_response(
            restApiId=self.id,
            responseType=kind,
            responseParameters=names,
            responseTemplates={"application/json": template},
        )
        self.deploy()

    def _resource(self, path: str) -> str:
        path = path.rstrip("/")
        if path not in self._resources:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(restApiId=self.id, parentId=self._resource(parent), pathPart=part)
            self._resources[path] = made["id"]
        return self._resources[path]
