"""`JwtAuthorizer`: callers bring a JSON Web Token (RFC 7519) of an issuer that the API trusts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.jwt_authorizer.contract import DISCOVERED, FIXED, JWKS_FILE, Env

from ._api_proxy.jwt_checks import check_algorithms, check_issuer, check_keys, check_names
from ._bundled import BundledHandler
from ._checks import Problems, text
from ._shapes import several
from .handler import Handler

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

__all__ = ["JwtAuthorizer"]

_FOLDER = Path(__file__).parent / "_jwt_authorizer"
_LONGEST_LEEWAY_SECONDS = 300
_LEEWAY = Duration.seconds(30)
_RESULTS_CACHE_TTL = Duration.seconds(60)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class JwtAuthorizer:
    """Callers bring `Authorization: Bearer <JSON Web Token>`, signed by one issuer, for one of these audiences.

    ```python
    JwtAuthorizer("https://login.example.com/", ["https://api.example.com"], scopes=["orders:read"])
    ```

    A token that is not valid is 401, one without a scope 403; keys that cannot be read are 500, and nobody gets in.
    The function's libraries (PyJWT and cryptography, locked by hash) are installed at the first synth, which needs a
    package index or a warm cache; without a JwtAuthorizer nothing is installed. The same object on several routes is
    one function. For tokens of a Cognito user pool use `aws_apigateway.CognitoUserPoolsAuthorizer`, which runs none.

    Args:
        issuer: What `iss` must be, to the letter.
        audience: `aud` must hold one of them.
        jwks_url: Where the issuer publishes its keys, by https. Default: what its discovery document says.
        jwks: A fixed JSON Web Key Set of public keys, instead: the function then needs no network.
        algorithms: Which signatures count: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA.
        header: Holds `Bearer <token>`. Without it the gateway answers 401 and does not ask.
        scopes: Each must be in the token's `scope` or `scp`.
        leeway: How far clocks may differ: to 300 seconds.
        caller_claim: Becomes `request.caller.id`; the other claims are text in `request.caller.claims`.
        results_cache_ttl: How long the answer for one token holds, its end notwithstanding: to an hour.
        memory_size: 128 to 10,240 MB.
        timeout: 1 to 29 seconds, of which an issuer may take 3.5. Default: 5.
        runtime: A Python runtime. Default: the newest that aws-cdk-lib knows.
        architecture: Default ARM.
        vpc: Where the function runs; it then needs a route to the issuer. Default: no VPC.
        vpc_subnets: Which subnets of the VPC. Default: those with a route out.
        security_groups: Default: one of its own, nothing in, everything out.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    issuer: str
    audience: tuple[str, ...]
    jwks_url: str | None
    jwks: Mapping[str, Any] | None
    algorithms: tuple[str, ...]
    header: str
    scopes: tuple[str, ...]
    leeway: Duration
    caller_claim: str
    results_cache_ttl: Duration
    handler: Handler

    def __init__(
        self,
        issuer: str,
        audience: Sequence[str],
        *,
        jwks_url: str | None = None,
        jwks: Mapping[str, Any] | None = None,
        algorithms: Sequence[str] = ("RS256",),
        header: str = "Authorization",
        scopes: Sequence[str] = (),
        leeway: Duration = _LEEWAY,
        caller_claim: str = "sub",
        results_cache_ttl: Duration = _RESULTS_CACHE_TTL,
        memory_size: int = 512,
        timeout: Duration | None = None,
        runtime: lambda_.Runtime | None = None,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
    ) -> None:
        problems = Problems("JwtAuthorizer")
        describe = vars(self)  # frozen for everybody else
        describe.update(
            issuer=issuer,
            audience=several(problems, "audience", audience),
            jwks_url=jwks_url,
            jwks=jwks,
            algorithms=several(problems, "algorithms", algorithms),
            header=header,
            scopes=several(problems, "scopes", scopes),
            leeway=leeway,
            caller_claim=caller_claim,
            results_cache_ttl=results_cache_ttl,
        )
        check_issuer(problems, issuer, discovered=jwks_url is None and jwks is None)
        check_names(problems, self.audience, self.scopes, caller_claim)
        check_algorithms(problems, self.algorithms)
        check_keys(problems, jwks_url, jwks, self.algorithms)
        fix = "more would keep tokens alive that have ended"
        problems.duration("leeway", leeway, 0, _LONGEST_LEEWAY_SECONDS, fix)
        problems.raise_any()
        if jwks is not None:  # nobody changes it afterwards
            describe["jwks"] = MappingProxyType(json.loads(json.dumps(dict(jwks))))
        describe["handler"] = BundledHandler(
            "JwtAuthorizer",
            "jwt",
            code=_FOLDER,
            requirements=_FOLDER / "requirements.lock",
            runtime=runtime,
            architecture=architecture,
            memory_size=memory_size,
            timeout=timeout,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )

    def env(self, *, plain_loopback: bool) -> Env:
        """What the function is told."""
        return Env(
            IDENTITY_HEADER=self.header,
            ISSUER=self.issuer,
            AUDIENCE=json.dumps(self.audience),
            JWT_ALGORITHMS=",".join(self.algorithms),
            SCOPES=json.dumps(self.scopes),
            LEEWAY_SECONDS=text(self.leeway),
            CALLER_CLAIM=self.caller_claim,
            KEYS=FIXED if self.jwks is not None else self.jwks_url or DISCOVERED,
            PLAIN_LOOPBACK="true" if plain_loopback else "false",
        )

    def files(self) -> Mapping[str, str]:
        """What is put beside its libraries."""
        return {} if self.jwks is None else {JWKS_FILE: json.dumps(dict(self.jwks), indent=1, sort_keys=True)}
