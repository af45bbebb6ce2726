"""A domain of one's own, deployed: requests that name it reach the API below its base path."""

from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53

from serverless_patterns import ApiProxy, Defaults, Domain, MockResponse, Route
from serverless_patterns.testing import Cloud, EmbeddedCloud
from tests.live.rest_calls import Api

ARN = "arn:aws:acm:us-east-1:000000000000:certificate/12345678-1234-1234-1234-123456789012"


class Named(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        zone = route53.HostedZone(self, "Zone", zone_name=f"{id.lower()}.example.com")
        self.name = f"api.{id.lower()}.example.com"
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", ARN)
        self.api = ApiProxy(
            self,
            "Api",
            public=True,
            access_logs=False,
            routes=[Route("GET /health/{id}", MockResponse(200, {"status": "ok"}))],
            domain=Domain(self.name, certificate, base_path="shop", hosted_zone=zone),
        )


def test_a_request_that_names_the_domain_reaches_the_api(
    embedded_cloud: Cloud, cdk_app: App, deploy: Any, fresh_name: str
) -> None:
    if not isinstance(embedded_cloud, EmbeddedCloud):
        pytest.skip("elsewhere it takes a domain, and a certificate for it, of one's own")
    stack = Named(cdk_app, fresh_name)
    own = Api(deploy(cdk_app).url(stack.api))
    where, named = stack.api.url_for("GET /health/{id}", id="1"), {"Host": stack.name}
    assert where == f"https://{stack.name}/shop/health/1"
    everybody = Api(embedded_cloud.endpoint_url)
    answer = everybody.call("GET /shop/health/1", headers=named)
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert everybody.call("GET /health/1", headers=named).status != 200, "without the base path"
    assert own.call("GET /health/1").status == 200, "the API's own address stays open, as the CDK has it"
