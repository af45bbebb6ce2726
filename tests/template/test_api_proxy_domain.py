"""A domain of one's own: where it leads, how it is protected, and that mutual TLS has no way around it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3

from serverless_patterns import Domain, MockResponse, Route
from tests.template.apis import an_api
from tests.template.scanning import PACKS, findings, linted
from tests.template.stacks import new_stack, refusal, resources, the, warnings

NAME = "api.example.com"
PLACE = {"account": "111122223333", "region": "eu-west-1"}
ARN = "arn:aws:acm:{region}:{account}:certificate/12345678-1234-1234-1234-123456789012"
OF_IAM = "arn:aws:iam::111122223333:server-certificate/x"


def a_stack() -> Stack:
    return new_stack(env=Environment(**PLACE))


def a_certificate(stack: Stack, id: str = "Certificate", **place: str) -> acm.ICertificate:
    return acm.Certificate.from_certificate_arn(stack, id, ARN.format(**{**PLACE, **place}))


def a_domain(stack: Stack, name: str = NAME, **arguments: Any) -> Domain:
    certificate = arguments.pop("certificate", ...)
    return Domain(name, a_certificate(stack) if certificate is ... else certificate, **arguments)


def a_zone(stack: Stack, name: str = "example.com") -> route53.IHostedZone:
    return route53.HostedZone.from_hosted_zone_attributes(stack, "Zone", hosted_zone_id="Z1", zone_name=name)


def a_bucket(stack: Stack, id: str = "Trust", **arguments: Any) -> s3.Bucket:
    return s3.Bucket(stack, id, **{"versioned": True, **arguments})


def the_domain(stack: Stack) -> dict[str, Any]:
    return the(stack, "ApiGateway::DomainName")


def is_closed(stack: Stack) -> bool:
    """Whether the API's own address is."""
    return the(stack, "ApiGateway::RestApi").get("DisableExecuteApiEndpoint") is True


# Where it leads


def test_a_domain_is_regional_and_leads_to_the_stage() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack))
    made = the_domain(stack)
    assert made["DomainName"] == NAME
    assert made["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert made["RegionalCertificateArn"] == ARN.format(**PLACE)
    assert "CertificateArn" not in made
    mapping = the(stack, "ApiGateway::BasePathMapping")
    (stage,), (rest_api,), (domain,) = (
        resources(stack, f"ApiGateway::{type}") for type in ("Stage", "RestApi", "DomainName")
    )
    assert mapping == {"DomainName": {"Ref": domain}, "RestApiId": {"Ref": rest_api}, "Stage": {"Ref": stage}}


@pytest.mark.parametrize(
    ("base_path", "address"),
    [(None, f"https://{NAME}/"), ("shop", f"https://{NAME}/shop/"), ("a/v1", f"https://{NAME}/a/v1/")],
)
def test_every_address_names_the_domain_and_its_base_path(base_path: str | None, address: str) -> None:
    stack = a_stack()
    api = an_api(stack, Route("GET /orders/{id}", MockResponse()), domain=a_domain(stack, base_path=base_path))
    assert api.url == address
    assert api.url_for("GET /orders/{id}", id="a b") == f"{address}orders/a%20b"
    assert api.openapi()["servers"] == [{"url": address.rstrip("/")}]


def test_without_a_domain_the_address_is_the_gateway_s_and_the_document_names_none() -> None:
    stack = a_stack()
    api = an_api(stack, Route("GET /orders", MockResponse()))
    assert "execute-api.eu-west-1." in json.dumps(stack.resolve(api.url))
    assert "servers" not in api.openapi()
    assert api.domain_name is None
    assert not is_closed(stack)


def test_a_base_path_of_one_part_and_of_several_are_mapped() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, base_path="shop"))
    assert the(stack, "ApiGateway::BasePathMapping")["BasePath"] == "shop"
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, base_path="shop/v1"))
    mapping = the(stack, "ApiGatewayV2::ApiMapping")
    assert mapping["ApiMappingKey"] == "shop/v1"
    assert resources(stack, "ApiGateway::BasePathMapping") == {}


def test_a_hosted_zone_gets_an_alias_for_each_version_of_ip() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, hosted_zone=a_zone(stack)))
    records = [record["Properties"] for record in resources(stack, "Route53::RecordSet").values()]
    (domain,) = resources(stack, "ApiGateway::DomainName")
    assert {record["Type"] for record in records} == {"A", "AAAA"}
    for record in records:
        assert (record["Name"], record["HostedZoneId"]) == (f"{NAME}.", "Z1")
        assert record["AliasTarget"] == {
            "DNSName": {"Fn::GetAtt": [domain, "RegionalDomainName"]},
            "HostedZoneId": {"Fn::GetAtt": [domain, "RegionalHostedZoneId"]},
        }


def test_without_a_hosted_zone_there_are_no_records_and_the_domain_says_where_to_point() -> None:
    stack = a_stack()
    api = an_api(stack, domain=a_domain(stack))
    assert resources(stack, "Route53::RecordSet") == {}
    assert api.domain_name is not None
    assert "RegionalDomainName" in json.dumps(stack.resolve(api.domain_name.domain_name_alias_domain_name))


def test_the_logical_ids_of_the_address_are_frozen() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, hosted_zone=a_zone(stack)))
    found = {*resources(stack, "ApiGateway::DomainName"), *resources(stack, "Route53::RecordSet")}
    assert found == {"ApiDomain95042711", "ApiDomainIpv4BC2A657D", "ApiDomainIpv6F47E83B7"}


# How it is protected


def test_tls_is_the_strongest_and_the_host_of_tls_is_that_of_the_request() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack))
    assert the_domain(stack)["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_PQ_2025_09"
    assert the_domain(stack)["EndpointAccessMode"] == "STRICT"


def test_mutual_tls_has_the_only_policy_that_knows_it() -> None:
    stack = a_stack()
    domain = a_domain(stack, truststore=(a_bucket(stack), "partners.pem"), truststore_version="v1")
    an_api(stack, domain=domain, alarms="none")
    made = the_domain(stack)
    assert made["SecurityPolicy"] == "TLS_1_2"
    assert "EndpointAccessMode" not in made
    (bucket,) = resources(stack, "S3::Bucket")
    assert made["MutualTlsAuthentication"] == {
        "TruststoreUri": {"Fn::Join": ["", ["s3://", {"Ref": bucket}, "/partners.pem"]]},
        "TruststoreVersion": "v1",
    }
    assert warnings(stack) == []


def test_around_mutual_tls_there_is_no_way() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, truststore=(a_bucket(stack), "partners.pem"), truststore_version="v1"))
    assert is_closed(stack)


@pytest.mark.parametrize(("asked", "closed"), [(None, False), (True, False), (False, True)])
def test_the_api_s_own_address_stays_open_unless_it_is_closed(asked: bool | None, closed: bool) -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, default_endpoint=asked))
    assert is_closed(stack) is closed


def test_closing_the_own_address_is_rolled_out_by_a_deployment() -> None:
    """API Gateway goes on answering there until the API is deployed again."""
    ids: set[str] = set()
    for asked in (True, False):
        stack = a_stack()
        an_api(stack, domain=a_domain(stack, default_endpoint=asked))
        ids |= {*resources(stack, "ApiGateway::Deployment")}
    assert len(ids) == 2


def test_a_certificate_that_acm_did_not_issue_is_vouched_for_by_another() -> None:
    stack = a_stack()
    vouching = a_certificate(stack, "Public")
    truststore = (a_bucket(stack), "partners.pem")
    domain = a_domain(stack, truststore=truststore, truststore_version="v1", ownership_certificate=vouching)
    an_api(stack, domain=domain)
    assert the_domain(stack)["OwnershipVerificationCertificateArn"] == ARN.format(**PLACE)


def test_a_truststore_without_a_version_is_warned_about() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, truststore=(a_bucket(stack), "partners.pem")), alarms="none")
    assert warnings(stack) == [
        "domain has no truststore_version: a new truststore counts only after somebody has updated the domain, and "
        "nobody can see which one counts; keep versions in the bucket and name one"
    ]


# What is refused: arguments, and the line that is the whole answer

NOT_A_NAME = (
    "domain name must be a name such as 'api.example.com', got {!r}: no scheme, no port, no path, no dot at the end"
)
NOT_A_PATH = (
    "domain base_path must be made of letters, digits, . _ and -, with / between parts, got {!r}: "
    "write 'shop' or 'shop/v1', or leave it out"
)
ELSEWHERE = (
    "domain certificate must be in the API's {}, {}, got {}: "
    "a regional domain takes a certificate from where the API is; us-east-1 is for edge-optimised ones"
)
REFUSED: dict[str, tuple[Callable[[Stack], Any], str]] = {
    "no domain": (
        lambda _: NAME,
        "domain must be a Domain, got 'api.example.com': write Domain('api.example.com', certificate)",
    ),
    **{
        f"name {name!r}": (lambda stack, name=name: a_domain(stack, name), NOT_A_NAME.format(name))
        for name in (
            *("", "example", "https://api.example.com", "api.example.com/shop", "api.example.com:443"),
            *("api.example.com.", "-a.example.com", "a_b.example.com", "api..example.com", "10.0.0.1", "a*.b.c"),
            *(f"{'a' * 64}.example.com", f"{'a.' * 124}example.com", "api.example.com\n", "ápi.example.com", None),
        )
    },
    "capitals": (
        lambda stack: a_domain(stack, "API.example.com"),
        "domain name must be in small letters, got 'API.example.com': write 'api.example.com'",
    ),
    "wildcard": (
        lambda stack: a_domain(stack, "*.example.com"),
        "domain name must be one name, got '*.example.com': an API has one address: "
        "define an aws_apigateway.DomainName for the wildcard, and map the stage to it",
    ),
    **{
        f"base path {path!r}": (lambda stack, path=path: a_domain(stack, base_path=path), NOT_A_PATH.format(path))
        for path in ("", "/", "/shop", "shop/", "a//b", "a b", "ä", "a{b}", 7)
    },
    "no certificate": (
        lambda stack: a_domain(stack, certificate=None),
        "domain certificate must be a certificate of AWS Certificate Manager, got None: "
        "for example aws_certificatemanager.Certificate",
    ),
    "certificate of IAM": (
        lambda stack: a_domain(
            stack,
            certificate=acm.Certificate.from_certificate_arn(stack, "Iam", OF_IAM),
        ),
        "domain certificate must be a certificate of AWS Certificate Manager, "
        f"got {OF_IAM!r}: API Gateway takes no certificate of IAM",
    ),
    "certificate of another region": (
        lambda stack: a_domain(stack, certificate=a_certificate(stack, "There", region="us-east-1")),
        ELSEWHERE.format("region", "eu-west-1", "us-east-1"),
    ),
    "certificate of another account": (
        lambda stack: a_domain(stack, certificate=a_certificate(stack, "There", account="444455556666")),
        ELSEWHERE.format("account", "111122223333", "444455556666"),
    ),
    "certificate of a stack in another region": (
        lambda stack: a_domain(stack, certificate=_elsewhere(stack)),
        ELSEWHERE.format("region", "eu-west-1", "us-east-1"),
    ),
    "no zone": (
        lambda stack: a_domain(stack, hosted_zone="example.com"),
        "domain hosted_zone must be a hosted zone of Route 53, got 'example.com': "
        "for example aws_route53.HostedZone.from_lookup(...)",
    ),
    "another zone": (
        lambda stack: a_domain(stack, hosted_zone=a_zone(stack, "pi.example.com")),
        "domain hosted_zone must hold 'api.example.com', got pi.example.com: "
        "or nobody would look there for it: pass the zone of that domain, or none",
    ),
    "version without truststore": (
        lambda stack: a_domain(stack, truststore_version="v1"),
        "domain truststore_version must go with a truststore, got a value: "
        "it means nothing without mutual TLS: give the truststore too, or leave it out",
    ),
    "ownership certificate without truststore": (
        lambda stack: a_domain(stack, ownership_certificate=a_certificate(stack, "Public")),
        "domain ownership_certificate must go with a truststore, got a value: "
        "it means nothing without mutual TLS: give the truststore too, or leave it out",
    ),
    "an open way around mutual TLS": (
        lambda stack: a_domain(
            stack, truststore=(a_bucket(stack), "k"), truststore_version="v1", default_endpoint=True
        ),
        "domain default_endpoint must be left out with a truststore, got True: "
        "that address asks for no certificate: everybody would go around mutual TLS",
    ),
    "default endpoint": (
        lambda stack: a_domain(stack, default_endpoint="no"),
        "domain default_endpoint must be True or False, got 'no': False closes the API's own address",
    ),
    **{
        f"truststore {value!r}": (
            lambda stack, value=value: a_domain(stack, truststore=value),
            f"domain truststore must be a bucket and a key, got a value of type {type(value).__name__}: "
            "write (bucket, 'partners.pem')",
        )
        for value in ("s3://trust/partners.pem", ("trust", "partners.pem"), ())
    },
    "truststore without key": (
        lambda stack: a_domain(stack, truststore=(a_bucket(stack), "")),
        "domain truststore must be a bucket and a key, got a value of type tuple: write (bucket, 'partners.pem')",
    ),
    "truststore elsewhere": (
        lambda stack: a_domain(
            stack,
            truststore=(s3.Bucket.from_bucket_attributes(stack, "B", bucket_name="trust", region="us-east-1"), "k"),
            truststore_version="v1",
        ),
        "domain truststore must be in the API's region, eu-west-1, got us-east-1: "
        "API Gateway reads it there: copy the object",
    ),
    "no version": (
        lambda stack: a_domain(stack, truststore=(a_bucket(stack), "k"), truststore_version=""),
        "domain truststore_version must be the id of a version, got '': S3 shows it",
    ),
    "bucket without versions": (
        lambda stack: a_domain(stack, truststore=(a_bucket(stack, versioned=False), "k"), truststore_version="v1"),
        "domain truststore_version must name an object of a bucket with versions, got one without: "
        "pass versioned=True to the bucket",
    ),
}


def _elsewhere(stack: Stack) -> acm.Certificate:
    other = Stack(stack.node.root, "Edge", env=Environment(account=PLACE["account"], region="us-east-1"))
    return acm.Certificate(other, "Certificate", domain_name=NAME)


@pytest.mark.parametrize(("make", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(make: Callable[[Stack], Any], line: str) -> None:
    stack = a_stack()
    domain = make(stack)
    assert refusal(lambda: an_api(stack, domain=domain)) == f"Shop/Api: {line}"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    stack = a_stack()
    domain = a_domain(stack, "API.example.com", base_path="/", truststore_version="v")
    text = refusal(lambda: an_api(stack, domain=domain))
    assert [line.split(" must ")[0] for line in text.splitlines()] == [
        "Shop/Api: domain name",
        "Shop/Api: domain base_path",
        "Shop/Api: domain truststore_version",
    ]


def test_what_only_cloudformation_knows_passes() -> None:
    stack = new_stack()
    name, path = (CfnParameter(stack, id).value_as_string for id in ("Name", "Path"))
    certificate = acm.Certificate(stack, "Certificate", domain_name=NAME)
    bucket = s3.Bucket.from_bucket_name(stack, "Trust", "trust")
    zone = route53.HostedZone.from_hosted_zone_id(stack, "Zone", "Z1")
    version = CfnParameter(stack, "Version").value_as_string
    domain = Domain(name, certificate, path, hosted_zone=zone, truststore=(bucket, "k"), truststore_version=version)
    api = an_api(stack, Route("GET /orders", MockResponse()), domain=domain)
    assert stack.resolve(api.url) == {"Fn::Join": ["", ["https://", {"Ref": "Name"}, "/", {"Ref": "Path"}, "/"]]}
    assert "servers" not in api.openapi()


def test_one_name_cannot_belong_to_two_apis() -> None:
    stack = a_stack()
    an_api(stack, domain=a_domain(stack, base_path="a"))
    second = Domain(NAME, a_certificate(stack, "Other"), "b")
    assert refusal(lambda: an_api(stack, id="Second", domain=second)) == (
        "Shop/Second: domain name must be its own, got 'api.example.com', which Shop/Api has: "
        "map the stage to the other API's domain_name by aws_apigateway.BasePathMapping, or take another name"
    )


def test_one_name_may_be_in_two_regions_and_in_two_apps() -> None:
    app = App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False)
    for region in ("eu-west-1", "eu-central-1"):
        stack = Stack(app, region, env=Environment(account=PLACE["account"], region=region))
        an_api(stack, domain=Domain(NAME, a_certificate(stack, region=region)))
    an_api(stack := a_stack(), domain=a_domain(stack))


# Scanners


@pytest.mark.parametrize("mutual", [False, True])
def test_scanners_find_nothing_in_a_domain(mutual: bool) -> None:
    stack = a_stack()
    bucket = s3.Bucket.from_bucket_name(stack, "Trust", "trust")
    trusting = {"truststore": (bucket, "k"), "truststore_version": "v1"} if mutual else {}
    arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_1"
    users = apigateway.CognitoUserPoolsAuthorizer(
        stack, "Users", cognito_user_pools=[cognito.UserPool.from_user_pool_arn(stack, "Pool", arn)]
    )
    an_api(
        stack,
        Route("GET /version", MockResponse()),
        authorizer=users,
        domain=a_domain(stack, hosted_zone=a_zone(stack), **trusting),
        web_acl="arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1",
    )
    for pack in PACKS:
        assert findings(stack, pack) == []
    assert linted(stack) == []
