"""The address of an API: a domain of one's own, closed around mutual TLS; or what API Gateway gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Validations
from aws_cdk import aws_apigateway as apigateway

from .._checks import is_token
from .domain_checks import take

if TYPE_CHECKING:
    from aws_cdk import aws_certificatemanager as acm
    from aws_cdk import aws_route53 as route53
    from constructs import Construct

    from ..domain import Domain

# Mutual TLS knows no newer policy than this; both take TLS 1.2 and 1.3.
_STRONGEST = apigateway.SecurityPolicy.TLS13_1_2_PQ_2025_09
_MUTUAL = apigateway.SecurityPolicy.TLS_1_2


def define_domain(
    scope: Construct, rest_api: apigateway.RestApiBase, stage: apigateway.StageBase, domain: Domain | None
) -> apigateway.DomainName | None:
    """The domain, mapped to the stage, with its records. Closes the API's own address where it would lead around it.

    Args:
        scope: The API's construct.
        rest_api: What it leads to.
        stage: Which stage of it.
        domain: Checked; `None`: none.
    """
    if domain is None:
        return None
    take(scope, domain)
    name = apigateway.DomainName(
        scope,
        "Domain",
        domain_name=domain.name,
        certificate=cast("acm.ICertificate", domain.certificate),
        endpoint_type=apigateway.EndpointType.REGIONAL,
        **_transport(domain),
    )
    resource = cast(apigateway.CfnDomainName, name.node.default_child)
    if domain.ownership_certificate is not None:
        resource.ownership_verification_certificate_arn = domain.ownership_certificate.certificate_arn
    if domain.base_path is not None and not is_token(domain.base_path) and "/" in domain.base_path:
        name.add_api_mapping(cast("Any", stage), base_path=domain.base_path)
    else:
        name.add_base_path_mapping(
            cast("Any", rest_api), base_path=domain.base_path, stage=cast(apigateway.Stage, stage)
        )
    if _closes(domain):
        cast(apigateway.CfnRestApi, rest_api.node.default_child).disable_execute_api_endpoint = True
    if domain.hosted_zone is not None:
        _define_records(scope, domain, name)
    if domain.truststore is not None and domain.truststore_version is None:
        Validations.of(scope).add_warning(
            "serverless-patterns:truststore-version",
            "domain has no truststore_version: a new truststore counts only after somebody has updated the domain, and "
            "nobody can see which one counts; keep versions in the bucket and name one",
        )
    return name


def url(stage: apigateway.StageBase, domain: Domain | None) -> str:
    """What callers put in front of every path; with a slash at its end."""
    return stage.url_for_path("/") if domain is None else f"{_of(domain)}/"


def server(domain: Domain | None) -> str | None:
    """The address, where it can be read: API Gateway's own, and a token, are known to CloudFormation alone."""
    return None if domain is None or is_token(address := _of(domain)) else address


def _of(domain: Domain) -> str:
    return f"https://{domain.name}" + (f"/{domain.base_path}" if domain.base_path is not None else "")


def _closes(domain: Domain) -> bool:
    """API Gateway's own address asks for no certificate: beside mutual TLS it is the way around."""
    return domain.truststore is not None or domain.default_endpoint is False


def _transport(domain: Domain) -> dict[str, Any]:
    if domain.truststore is None:
        # Strict: the host of TLS must be the host of the request.
        return {"security_policy": _STRONGEST, "endpoint_access_mode": apigateway.EndpointAccessMode.STRICT}
    bucket, key = domain.truststore
    trusted = apigateway.MTLSConfig(bucket=cast("Any", bucket), key=key, version=domain.truststore_version)
    return {"security_policy": _MUTUAL, "mtls": trusted}


def _define_records(scope: Construct, domain: Domain, name: apigateway.DomainName) -> None:
    from aws_cdk import aws_route53 as route53  # takes a while, and most APIs have no records
    from aws_cdk import aws_route53_targets as targets

    zone = cast("route53.IHostedZone", domain.hosted_zone)
    target = route53.RecordTarget.from_alias(cast("Any", targets.ApiGatewayDomain(cast("Any", name))))
    whole = f"{domain.name}."  # with the dot it is the whole name, whatever the zone's
    route53.ARecord(scope, "DomainIpv4", zone=zone, record_name=whole, target=target)
    route53.AaaaRecord(scope, "DomainIpv6", zone=zone, record_name=whole, target=target)
