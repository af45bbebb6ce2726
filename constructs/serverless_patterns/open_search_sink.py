"""`OpenSearchSink`: a view of a `CqrsTable` in Amazon OpenSearch Service."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchservice as opensearch

from serverless_patterns_runtime.cqrs_open_search.contract import (
    ABOUT,
    INDEX_NAME,
    MAX_INDEX_NAME,
    OpenSearchTold,
    Shape,
)
from serverless_patterns_runtime.fan_out_topic.packed import packed

from ._acknowledge import acknowledge_wildcard
from ._checks import Problems, is_token
from ._cqrs_table.sinks import check_placed, placed
from ._grants import give
from ._shapes import named, several, told

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from .handler import Handler

__all__ = ["OpenSearchSink"]

_NAMED = f"be lower-case letters, digits, - and _, a letter first, up to {MAX_INDEX_NAME}"
_FIELD = "'note': {'type': 'text'}"
_HTTPS = 443
_FIRST = (2, 12)


class OpenSearchSink:
    """Rows in a domain of Amazon OpenSearch Service, to be searched. A description.

    ```python
    OpenSearchSink(domain, index="orders", mappings={"note": {"type": "text"}})
    ```

    The functions sign what they ask as their roles, and may do what the indexes of this name need.

    Args:
        domain: Of OpenSearch 2.12 or later; nobody looks at that of an imported one.
        index: What other programs search: an alias of this name shows the live rows.
        mappings: The members of a row that are searched, as OpenSearch's `properties`. Others are kept alone.
        settings: Of each index: shards, replicas, analyzers. Default: OpenSearch's.
        vpc: Where the functions run, for a domain in a VPC. A `Domain` lets them in; an imported one has to.
        vpc_subnets: Which subnets of the VPC. Default: those with a route out.
        security_groups: Of the functions. Default: one of their own.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    services: tuple[str, ...] = ()

    def __init__(
        self,
        domain: opensearch.IDomain | opensearch.Domain,
        *,
        index: str,
        mappings: Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
    ) -> None:
        problems = Problems(f"OpenSearchSink({told(index)})")
        self.domain, self.index = domain, index
        self.vpc, self.vpc_subnets = vpc, vpc_subnets
        self.security_groups = several(problems, "security_groups", security_groups)
        self.mappings = named(problems, "mappings", mappings, _FIELD)
        self.settings = named(problems, "settings", {} if settings is None else settings, "'number_of_replicas': 2")
        if not isinstance(index, str) or not re.fullmatch(INDEX_NAME, index) or len(index) > MAX_INDEX_NAME:  # pyright: ignore[reportUnnecessaryIsInstance]
            fix = "generations' indexes have it with _g1 behind it: write 'orders'"
            problems.add("index", _NAMED, told(index), fix)
        self._check_domain(problems)
        self._check_shape(problems)
        problems.raise_any()

    def placed(self, handler: Handler) -> Handler:
        """The same, where the functions run."""
        return placed(self, handler)

    def check(self, problems: Problems, handler: Handler) -> None:
        """What the view's function has another way."""
        check_placed(problems, self, handler)

    def warn(self, view: Construct) -> None:
        """Say what the domain has to be told, and what nothing here lets in."""
        made = self._made()
        if made is not None and made.advanced_security_options is not None:
            Validations.of(view).add_warning(
                "serverless-patterns:open-search-roles",
                f"{self.domain.node.path} has fine-grained access control: map the roles of this view's "
                "projector_function and rebuild_function there, as the page says, or no row is written",
            )
        if made is None and self.vpc is not None and not self.security_groups:
            Validations.of(view).add_warning(
                "serverless-patterns:sink-without-server",
                f"{self.domain.node.path} is imported: nothing here lets the functions of this view connect to it, at "
                f"port {_HTTPS}: pass security_groups that it lets in",
            )

    def allow(self, function: lambda_.Function) -> None:
        """Let the function in, to this view's indexes, and to change what their alias shows."""
        arn = self.domain.domain_arn
        generations = f"{arn}/{self.index}_g*"
        give(function, ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"], [generations])
        policy = cast(iam.Role, function.role).node.find_child("DefaultPolicy")
        acknowledge_wildcard(policy, generations, "a rebuild makes another index, whose name has a number behind it")
        give(function, ["es:ESHttpGet"], [f"{arn}/{self.index}"])
        # Which alias it changes is in its body, which IAM does not see.
        give(function, ["es:ESHttpPost"], [f"{arn}/_aliases"])
        if self._is_in_vpc():
            function.connections.allow_to(cast(Any, self.domain), ec2.Port.tcp(_HTTPS), "rows of a view")

    @property
    def place(self) -> str:
        """What tells this store from others."""
        return f"open-search {self.domain.domain_endpoint} {self.index}"

    def described(self, stack: Stack) -> str:
        """As the runtime reads it."""
        shape = Shape(mappings=dict(self.mappings), settings=dict(self.settings))
        sink = OpenSearchTold(
            kind="open-search",
            endpoint=f"https://{self.domain.domain_endpoint}",
            index=self.index,
            shape=packed(cast("Mapping[str, Any]", shape)),
        )
        return stack.to_json_string(sink)

    def _made(self) -> opensearch.CfnDomain | None:
        """None: it is imported."""
        made = self.domain.node.default_child
        return made if isinstance(made, opensearch.CfnDomain) else None

    def _is_in_vpc(self) -> bool | None:
        """None: it is imported, so nobody knows."""
        made = self._made()
        return None if made is None else made.vpc_options is not None

    def _check_domain(self, problems: Problems) -> None:
        if not hasattr(self.domain, "domain_endpoint"):
            fix = "pass the Domain of aws_opensearchservice; a collection of OpenSearch Serverless cannot hold a view"
            problems.add("domain", "be an opensearchservice.IDomain", told(self.domain), fix)
            return
        made = self._made()
        engine, _, version = str(None if made is None else made.engine_version).partition("_")
        if engine == "Elasticsearch" or (engine == "OpenSearch" and _numbers(version) < _FIRST):
            fix = "earlier ones do not know `must_exist`, by which searches move on: choose a later version"
            problems.add("domain", "be of OpenSearch 2.12 or later", f"{engine}_{version}", fix)
        if self._is_in_vpc() not in (None, self.vpc is not None):
            must, got = ("be given", "None") if self.vpc is None else ("be left out", self.vpc.node.path)
            where = "in a VPC" if self.vpc is None else "reached from everywhere"
            problems.add("vpc", must, got, f"the domain is {where}: the functions run where it can be reached")

    def _check_shape(self, problems: Problems) -> None:
        for name, about in self.mappings.items():
            if name == ABOUT or name.startswith("_"):
                fix = f"OpenSearch's own fields begin so, and {ABOUT} is the view's"
                problems.add("mappings", "name members of a row, without a _ in front", repr(name), fix)
            elif not isinstance(about, Mapping) or not ("type" in about or "properties" in about):
                fix = f"write mappings={{{_FIELD}}}"
                problems.add(
                    "mappings", "say a type or properties for each name", f"{name!r}: {told(cast(object, about))}", fix
                )
        for argument, value in (("mappings", self.mappings), ("settings", self.settings)):
            try:
                text = json.dumps(dict(value))
            except (TypeError, ValueError):
                problems.add(argument, "be JSON", told(dict(value)), "dictionaries, lists, text, numbers and booleans")
            else:
                within = json.dumps([*value.values()])
                if argument == "mappings" and f'"{ABOUT}' in within:  # by copy_to, or an alias of a field
                    problems.add(argument, f"leave {ABOUT} alone", f"{ABOUT} in {argument}", "it is the view's")
                if is_token(text):
                    problems.add(argument, "be known at synth", "a token", "write its value")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
