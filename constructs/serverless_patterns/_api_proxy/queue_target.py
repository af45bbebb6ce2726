"""Routes that lead straight to a queue: the gateway sends the body to SQS, and answers 202 once SQS has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.api_proxy.contract import IDEMPOTENCY_KEY_HEADER, KeyMode

from .._checks import Problems, did_you_mean
from .._grants import grant_integration
from .._shapes import named
from .._targets import Connection, RouteFacts, Site
from .cross_origin import integration_headers, method_headers
from .queue_templates import accepted_template, refused_template, request_template
from .schemas import properties_at

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_sqs as sqs

_METHODS = ("PATCH", "POST", "PUT")
_KEY_MODES: tuple[KeyMode, ...] = ("required", "optional", "off")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# What Velocity, JSONPath and JSON all take for a name.
_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*)+")


@dataclass(frozen=True)
class QueueTarget:
    """A queue behind a route."""

    queue: sqs.IQueue
    key_path: str | None
    """Where in the body its consumer finds the key, if there: a header would count for nothing."""

    handler = None

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Required, unless the body holds the key."""
        return "off" if self.key_path is not None else facts.asked_idempotency or "required"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse what a message could not carry."""
        del timeout
        label = facts.label
        problems.one_of(label, facts.method, _METHODS, "the body of the request becomes the message")
        if facts.parameters:
            fix = "put them into the body: the message holds nothing else"
            must = "have no parameters in its path in front of a LoadLeveledQueue"
            problems.add(label, must, ", ".join(map(repr, facts.parameters)), fix)
        for argument, value in (("query", facts.query), ("body", facts.content == "bytes" or None)):
            if value is not None:
                fix = "the message holds the body, which is JSON, and nothing else"
                must = (
                    "be left out in front of a LoadLeveledQueue" if argument == "query" else "be a schema, or left out"
                )
                problems.add(f"{label} {argument}", must, "a value" if argument == "query" else "bytes", fix)
        if facts.asked_idempotency is not None:
            fix = "leave it out for what the queue asks for"
            problems.one_of(f"{label} idempotency", facts.asked_idempotency, _KEY_MODES, fix)
        if self.key_path is not None and facts.asked_idempotency in ("required", "optional"):
            fix = (
                f"the key that counts is {self.key_path!r} of the body, as the queue's idempotency_key says, and a"
                " header would count for nothing: leave one of the two out"
            )
            problems.add(f"{label} idempotency", "be 'off' or left out", repr(facts.asked_idempotency), fix)
        self._check_group(problems, facts)
        if facts.respond is not None:
            _check_respond(problems, facts)

    def _check_group(self, problems: Problems, facts: RouteFacts) -> None:
        argument, path = f"{facts.label} message_group", facts.message_group
        if self.queue.fifo and path is None:
            fix = "messages of one group stay in order: message_group='$.order_id'"
            problems.add(argument, "be given in front of a FIFO queue", "None", fix)
        elif path is not None and not self.queue.fifo:
            fix = "a standard queue keeps no order: leave it out, or pass fifo=True to the LoadLeveledQueue"
            problems.add(argument, "be left out in front of a standard queue", repr(path), fix)
        elif path is not None:
            _check_path(problems, facts, argument, path)

    def connect(self, site: Site) -> Connection:
        """SendMessage, by a role that can do nothing else."""
        facts, mode = site.facts, self.key_mode(site.facts)
        request = request_template(facts, mode, fifo=self.queue.fifo)
        integration = apigateway.AwsIntegration(
            service="sqs",
            path=f"{self.queue.env.account}/{self.queue.queue_name}",
            region=self.queue.env.region,
            integration_http_method="POST",
            options=apigateway.IntegrationOptions(
                credentials_role=cast(iam.IRole, self._role(site)),
                timeout=site.timeout,
                passthrough_behavior=apigateway.PassthroughBehavior.NEVER,  # 415 for everything but JSON
                request_parameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
                request_templates={"application/json": request},
                integration_responses=_responses(site, mode),
            ),
        )
        header = f"method.request.header.{IDEMPOTENCY_KEY_HEADER}"
        return Connection(integration, _method_responses(site), {} if mode == "off" else {header: mode == "required"})

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What the gateway says of the message."""
        return {
            "202": "The message is in its queue",
            "400": "The body or its key cannot become a message",
            "413": "The message is larger than its queue takes",
            "503": "The queue did not take the message",
            **({} if facts.evidence == "none" else {"401": "Nobody says who is calling"}),
        }

    def _role(self, site: Site) -> iam.Role:
        """One for each queue of an API, however many routes lead to it, and however alike two names read."""
        address = self.queue.node.addr
        if address not in site.roles:
            parts = re.split(r"[^A-Za-z0-9]+", self._name(site))
            id = f"{''.join(part[:1].upper() + part[1:] for part in parts)}SenderRole"
            if site.scope.node.try_find_child(id) is not None:
                id += address[-8:]
            principal = cast(iam.IPrincipal, iam.ServicePrincipal("apigateway.amazonaws.com"))
            site.roles[address] = iam.Role(site.scope, id, assumed_by=principal)
            grant_integration(site.roles[address], self.queue)
        return site.roles[address]

    def _name(self, site: Site) -> str:
        """Of the queue, within what it shares with the API."""
        shared = {scope.node.path for scope in site.scope.node.scopes}
        own = [scope.node.id for scope in self.queue.node.scopes if scope.node.path not in shared]
        return " ".join(own)


def _responses(site: Site, mode: KeyMode) -> list[apigateway.IntegrationResponse]:
    """The last one, without a pattern, is for whatever is not 2xx: a message that is not stored is never a 202."""
    before, headers = site.cors.template if site.cors else "", integration_headers(site.cors)
    problem = {**headers, "method.response.header.Content-Type": "'application/problem+json'"}
    accepted = before + accepted_template(site.facts, mode)
    return [
        apigateway.IntegrationResponse(
            status_code="202",
            selection_pattern=r"2\d{2}",
            response_parameters=headers,
            response_templates={"application/json": accepted},
        ),
        apigateway.IntegrationResponse(
            status_code="503",
            response_parameters=problem,
            response_templates={"application/json": before + refused_template(site.facts)},
        ),
    ]


def _method_responses(site: Site) -> Sequence[apigateway.MethodResponse]:
    headers = method_headers(site.cors)
    problem = {**headers, "method.response.header.Content-Type": True}
    return [
        apigateway.MethodResponse(status_code="202", response_parameters=headers),
        apigateway.MethodResponse(status_code="503", response_parameters=problem),
    ]


def _check_respond(problems: Problems, facts: RouteFacts) -> None:
    argument = f"{facts.label} respond"
    respond = named(problems, argument, facts.respond, "'order_id': '$.order_id'")
    if not respond and not problems.have(argument):
        problems.add(argument, "name a field", "none", "leave it out for the key of the request, or the message's id")
    for name, path in respond.items():
        if not _NAME.fullmatch(str(name)):
            fix = "it is the name of a field in the answer"
            problems.add(argument, "be named by A-Z a-z 0-9 _ -, beginning with a letter", repr(name), fix)
        else:
            _check_path(problems, facts, f"{argument} {name!r}", path)


def _check_path(problems: Problems, facts: RouteFacts, argument: str, path: Any) -> None:
    """A path into the body; one that the schema knows nothing of leads nowhere."""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        fix = "write '$.order_id', or '$.order.id': letters, digits and _"
        problems.add(argument, "be a path into the body", repr(path), fix)
        return
    *parents, last = path.split(".")[1:]
    known = None if facts.body is None else properties_at(facts.body, parents)
    if known is not None and last not in known:
        fix = "name one that it has, or add this one to the schema"
        problems.add(argument, "lead to a property of the body's schema", f"{path!r}{did_you_mean(last, known)}", fix)
