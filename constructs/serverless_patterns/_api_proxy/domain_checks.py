"""What is said of a domain, checked: AWS refuses most of it late, and some of it never."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3

from .._checks import Problems, is_token
from ..domain import Domain

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

_MOST_CHARACTERS = 253
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
_BASE_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_ARN = re.compile(r"arn:[^:]+:acm:(?P<region>[^:]+):(?P<account>[^:]+):certificate/.+")

# By identity of the app, which is kept: jsii holds its Python object weakly, and another would forget.
_TAKEN: dict[int, tuple[IConstruct, dict[tuple[str, ...], str]]] = {}


def check_domain(problems: Problems, scope: Construct, domain: Any) -> None:
    """Refuse a domain that cannot be, or that would not keep out whom it should.

    Args:
        problems: Takes what is wrong.
        scope: Where the API will be.
        domain: What the user gave.
    """
    if domain is None:
        return
    if not isinstance(domain, Domain):
        problems.add("domain", "be a Domain", repr(domain), "write Domain('api.example.com', certificate)")
        return
    _check_name(problems, domain.name)
    _check_base_path(problems, domain.base_path)
    _check_certificate(problems, "domain certificate", domain.certificate, scope)
    if domain.hosted_zone is not None:
        _check_zone(problems, domain)
    _check_mutual_tls(problems, domain, scope)
    if not problems.have("domain name"):
        _check_free(problems, scope, domain)


def _check_name(problems: Problems, name: Any) -> None:
    if is_token(name):
        return
    if isinstance(name, str) and name.startswith("*."):
        fix = "an API has one address: define an aws_apigateway.DomainName for the wildcard, and map the stage to it"
        problems.add("domain name", "be one name", repr(name), fix)
    elif isinstance(name, str) and name != name.lower() and _NAME.fullmatch(name.lower()):
        problems.add("domain name", "be in small letters", repr(name), f"write {name.lower()!r}")
    elif not isinstance(name, str) or len(name) > _MOST_CHARACTERS or not _NAME.fullmatch(name):
        fix = "no scheme, no port, no path, no dot at the end"
        problems.add("domain name", "be a name such as 'api.example.com'", repr(name), fix)


def _check_base_path(problems: Problems, path: Any) -> None:
    if path is None or is_token(path) or (isinstance(path, str) and _BASE_PATH.fullmatch(path)):
        return
    must = "be made of letters, digits, . _ and -, with / between parts"
    problems.add("domain base_path", must, repr(path), "write 'shop' or 'shop/v1', or leave it out")


def _check_certificate(problems: Problems, argument: str, certificate: Any, scope: Construct) -> None:
    arn = getattr(certificate, "certificate_arn", None)
    if arn is None:
        fix = "for example aws_certificatemanager.Certificate"
        problems.add(argument, "be a certificate of AWS Certificate Manager", repr(certificate), fix)
        return
    stack, place = Stack.of(scope), _ARN.fullmatch(arn)
    if place is not None and not is_token(arn):
        has = {"region": place["region"], "account": place["account"]}
    elif is_token(arn):
        has = {"region": certificate.env.region, "account": certificate.env.account}
    else:
        must = "be a certificate of AWS Certificate Manager"
        problems.add(argument, must, repr(arn), "API Gateway takes no certificate of IAM")
        return
    for what, wanted in (("region", stack.region), ("account", stack.account)):
        if not is_token(wanted) and not is_token(has[what]) and has[what] != wanted:
            fix = "a regional domain takes a certificate from where the API is; us-east-1 is for edge-optimised ones"
            problems.add(argument, f"be in the API's {what}, {wanted}", has[what], fix)


def _check_zone(problems: Problems, domain: Domain) -> None:
    zone = domain.hosted_zone
    if not hasattr(zone, "hosted_zone_id"):
        fix = "for example aws_route53.HostedZone.from_lookup(...)"
        problems.add("domain hosted_zone", "be a hosted zone of Route 53", repr(zone), fix)
        return
    try:
        name = cast(str, cast("Any", zone).zone_name).rstrip(".")
    except RuntimeError:  # imported by its id alone
        return
    inside = domain.name == name or str(domain.name).endswith(f".{name}")
    if not (is_token(name) or is_token(domain.name) or inside):
        fix = "or nobody would look there for it: pass the zone of that domain, or none"
        problems.add("domain hosted_zone", f"hold {domain.name!r}", name, fix)


def _check_mutual_tls(problems: Problems, domain: Domain, scope: Construct) -> None:
    if domain.default_endpoint not in (None, True, False):
        fix = "False closes the API's own address"
        problems.add("domain default_endpoint", "be True or False", repr(domain.default_endpoint), fix)
    if domain.truststore is None:
        for argument in ("truststore_version", "ownership_certificate"):
            if getattr(domain, argument) is not None:
                fix = "it means nothing without mutual TLS: give the truststore too, or leave it out"
                problems.add(f"domain {argument}", "go with a truststore", "a value", fix)
        return
    if domain.default_endpoint is True:
        fix = "that address asks for no certificate: everybody would go around mutual TLS"
        problems.add("domain default_endpoint", "be left out with a truststore", "True", fix)
    if domain.ownership_certificate is not None:
        _check_certificate(problems, "domain ownership_certificate", domain.ownership_certificate, scope)
    _check_truststore(problems, domain.truststore, domain.truststore_version, scope)


def _check_truststore(problems: Problems, truststore: Any, version: Any, scope: Construct) -> None:
    pair = cast("tuple[Any, ...]", truststore) if isinstance(truststore, tuple) else ()
    if len(pair) != 2 or not hasattr(pair[0], "bucket_name") or not isinstance(pair[1], str) or not pair[1]:
        kind = type(cast("object", truststore)).__name__
        got, fix = f"a value of type {kind}", "write (bucket, 'partners.pem')"
        problems.add("domain truststore", "be a bucket and a key", got, fix)
        return
    bucket, region = pair[0], Stack.of(scope).region
    if not is_token(region) and not is_token(bucket.env.region) and bucket.env.region != region:
        fix = "API Gateway reads it there: copy the object"
        problems.add("domain truststore", f"be in the API's region, {region}", bucket.env.region, fix)
    if version is None:
        return
    if not isinstance(version, str) or not version:
        problems.add("domain truststore_version", "be the id of a version", repr(version), "S3 shows it")
    resource = bucket.node.default_child
    if isinstance(resource, s3.CfnBucket) and resource.versioning_configuration is None:
        fix = "pass versioned=True to the bucket"
        problems.add("domain truststore_version", "name an object of a bucket with versions", "one without", fix)


def _check_free(problems: Problems, scope: Construct, domain: Domain) -> None:
    has = _taken(scope).get(_place(scope, domain))
    if has is not None and has != problems.where:  # `has == where`: it was removed from the tree
        fix = "map the stage to the other API's domain_name by aws_apigateway.BasePathMapping, or take another name"
        problems.add("domain name", "be its own", f"{domain.name!r}, which {has} has", fix)


def take(scope: Construct, domain: Domain) -> None:
    """Remember that the API has the name."""
    if not is_token(domain.name):
        _taken(scope)[_place(scope, domain)] = scope.node.path


def _taken(scope: IConstruct) -> dict[tuple[str, ...], str]:
    app = scope.node.root
    return _TAKEN.setdefault(id(app), (app, {}))[1]


def _place(scope: IConstruct, domain: Domain) -> tuple[str, ...]:
    """AWS has a regional name once in an account and region; where these are unknown, at least once in a stack."""
    stack = Stack.of(scope)
    where = (stack.account, stack.region)
    return (domain.name, *((stack.node.path,) if any(is_token(part) for part in where) else where))
