"""A table behind routes: functions of ours that take commands, and that answer queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serverless_patterns_runtime.api_proxy.contract import KeyMode

from .._api_proxy.function_target import HandlerTarget
from .._targets import RouteFacts, RouteTarget, refuse_idempotency, refuse_queue_arguments

if TYPE_CHECKING:
    from aws_cdk import Duration

    from .._checks import Problems

_CHANGES = ("DELETE", "PATCH", "POST", "PUT")


@dataclass(frozen=True, eq=False)
class Door:
    """What a `Route` leads to: a description, as a `Handler` is."""

    target: RouteTarget

    def __repr__(self) -> str:
        return repr(self.target.handler)

    def _route_target(self) -> RouteTarget:
        return self.target


@dataclass(frozen=True)
class CommandTarget(HandlerTarget):
    """The command's id is the request's key; the function sees to it that it counts once."""

    key: str
    """Name of the aggregate's key: in the path, or in the body."""

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Required: without one, a retry is a second command."""
        del facts
        return "required"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse what would not reach `decide`."""
        super().check(problems, facts, timeout)
        label, what = facts.label, "command()"
        problems.one_of(label, facts.method, _CHANGES, "it changes an aggregate")
        others = [name for name in facts.parameters if name != self.key]
        if others:
            fix = f"decide gets the key and the body: put the others into the body, or write {{{self.key}}}"
            must = f"have no parameter but {{{self.key}}} in its path in front of {what}"
            problems.add(label, must, ", ".join(map(repr, others)), fix)
        if facts.query is not None:
            problems.add(f"{label} query", f"be left out in front of {what}", "a value", "put it into the body")
        if facts.asked_idempotency not in (None, "required"):
            fix = "the key is the command's id, by which a retry gets the first answer"
            problems.add(f"{label} idempotency", "be 'required' or left out", repr(facts.asked_idempotency), fix)
        if facts.content == "bytes":
            problems.add(f"{label} body", f"be a schema, or left out, in front of {what}", "bytes", "a command is JSON")
        elif self.key not in facts.parameters and self.key not in (facts.body or {}).get("properties", [self.key]):
            fix = f"the aggregate's key is in the path, as {{{self.key}}}, or in the body"
            problems.add(f"{label} body", f"have the property {self.key!r}", "none", fix)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What it says of the command."""
        del facts
        return {
            "200": "The command is done: its aggregate's version, a token for queries, and the result",
            "4XX": "The command is refused, and nothing has changed",
            "409": "The aggregate is not as the command says, or not of the expected version",
            "422": "This key has been used for another command",
            "503": "Too many commands change this aggregate: send it again",
        }


@dataclass(frozen=True)
class ReadTarget(HandlerTarget):
    """Reads: no key."""

    what: str
    """As the user has written it."""

    parameter: str | None
    """That the path has, and no other; `None`: it has none."""

    described: Mapping[str, str]

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """It keeps none."""
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse a route that does not say what is read."""
        refuse_queue_arguments(problems, facts, self.what)
        refuse_idempotency(problems, facts, self.what)
        problems.one_of(facts.label, facts.method, ("GET",), "it changes nothing")
        wanted = () if self.parameter is None else (self.parameter,)
        if facts.parameters != wanted or facts.greedy:
            must = (
                "have no parameter in its path" if self.parameter is None else f"have {{{self.parameter}}} in its path"
            )
            got = ", ".join(map(repr, facts.parameters)) or "none"
            fix = "it says what is read, and nothing else of the path does"
            problems.add(facts.label, f"{must}, and no other, in front of {self.what}", got, fix)
        if facts.asked_idempotency is None and not facts.greedy:
            super().check(problems, facts, timeout)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What it says."""
        del facts
        return self.described
