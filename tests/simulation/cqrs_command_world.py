"""One simulated account with aggregates: the shipped command function, clients that ask until they know, and a keeper
who deletes items behind everybody's back."""

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from serverless_patterns_runtime import Command, Decision, PermanentError
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.cqrs_table import command_handler
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, Schema
from serverless_patterns_runtime.cqrs_table.command_handler import Edge
from serverless_patterns_runtime.cqrs_table.contract import ABOUT
from serverless_patterns_runtime.cqrs_table.deciding import Commands
from serverless_patterns_runtime.cqrs_table.proposal import Decide
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.resources import NO_RESOURCES

from .attribute_values import Item
from .dynamodb_model import DynamoDB, Table
from .event_source_mapping import Answer
from .faults import Call, Faults, NoFaults
from .lambda_model import Context, Function, Sandbox
from .network import Client as AwsClient
from .network import Network
from .virtual_time import Schedule

__all__ = ["AGGREGATES", "KEY", "Ask", "Change", "CommandWorld", "Reply", "Seen", "decide"]

START = 1_700_000_000.25
AGGREGATES, CLAIMS, KEY = "counters", "claims", "counter"
NAMESPACE = "Counters"
RETENTION = 7 * 24 * 3600
LONGEST_SECONDS = 3600
CLIENT_TIMEOUT_SECONDS = 40.0


def decide(state: Mapping[str, Any] | None, command: Command) -> Decision:
    """A counter that remembers who has counted. The judge calls it too: it is what should have happened."""
    kind, by = command.name, command.body["by"]
    if kind == "delete":
        if state is None:
            raise PermanentError("there is none", status=404)
        return Decision(None, result={"by": by, "had": state["n"]})
    if kind == "begin" and state is not None:
        raise PermanentError("there is one")
    n, counted = (state["n"], state["by"]) if state else (0, [])
    if kind == "even" and n % 2:
        raise PermanentError("it is odd")
    return Decision({"n": n + 1, "by": [*counted, by]}, result={"n": n + 1, "by": by})


@dataclass(frozen=True)
class Ask:
    """A command that somebody wants done."""

    by: str
    """Its id, unless `id` says another's."""
    name: str
    """`count`, `begin`, `even`, `delete`; or `read`, which is none."""
    key: str
    at: float = 0.0
    """Seconds after the start."""
    expects: str = ""
    """`latest`: the version that the client has heard of last; `none`: that there is none."""
    id: str = ""
    again: int = 0
    """How often it is asked once more when the answer is known."""


class Reply(NamedTuple):
    ask: Ask
    expected: int | None
    since: float
    """When what is answered was sent."""
    at: float
    answer: Mapping[str, Any]
    alone: bool
    """Whether it was the first request, and sent once."""


class Change(NamedTuple):
    """One change of an aggregate's item, as the table saw it."""

    at: float
    key: str
    before: Aggregate | None
    after: Aggregate | None
    claim: str | None
    """Id of the claim in the same transaction."""
    by: str | None
    """Who is answered in it: a deleted aggregate has no state that says who has done it."""
    raw: bool
    """Whether somebody has changed the item who knows nothing of aggregates, or gives it its first version."""


class Seen(NamedTuple):
    """One consistent read."""

    key: str
    since: float
    at: float
    found: Aggregate | None


@dataclass
class Books:
    changes: list[Change] = field(default_factory=list)
    claims: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    """When each was written, and for which payload."""
    replies: list[Reply] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    trace: list[tuple[float, tuple[Any, ...]]] = field(default_factory=list)
    conflicts: int = 0


class Watched(DynamoDB):
    """Knows which transaction a change belongs to."""

    claim: str | None = None
    by: str | None = None

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        puts = [action["Put"] for action in TransactItems if action["Put"]["TableName"] == CLAIMS]
        if puts:
            self.claim = puts[0]["Item"]["claim"]["S"]
            self.by = json.loads(puts[0]["Item"]["answer"]["S"])["result"]["by"]
        try:
            return super().transact_write_items(TransactItems=TransactItems, **more)
        finally:
            self.claim = self.by = None


class CommandWorld:
    def __init__(self, seed: int | str, faults: Faults | None = None, *, timeout: float = 25.0) -> None:
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.faults = faults or NoFaults()
        self.books = Books()
        tables = {AGGREGATES: Table({KEY: "S"}), CLAIMS: Table({"claim": "S"}, time_to_live="expires_at")}
        self.dynamodb = Watched(tables, lambda: self.schedule.now, self.chance)
        self.dynamodb.changes.append(self._see)
        self.network = Network(self.schedule, {"dynamodb": self.dynamodb}, self.faults, self.chance, self.trace)
        self.function = Function(
            self.schedule,
            timeout,
            self.chance,
            self._edge,
            self._handle,
            self.trace,
            called=lambda event: event.get("id", "read"),
        )
        self.clients: list[Client] = []
        self._raw = False

    # What is deployed.

    def _edge(self, sandbox: Sandbox) -> Edge:
        client = AwsClient(self.network, sandbox, "dynamodb")
        chance = random.Random(self.chance.getrandbits(64))
        commands = Commands(
            WriteModel(client, AGGREGATES, KEY, Schema(1), sandbox.sleep, chance),
            Decide(decide, "counters:decide", False),
            ClaimsTable(client, CLAIMS, RETENTION, {}, sandbox.clock, sandbox.sleep, chance),
            NAMESPACE,
            ("count", "begin", "even", "delete"),
            self._count_conflicts,
        )
        silent = Silent()
        return Edge(commands, silent, silent, NO_RESOURCES)

    def _handle(self, event: dict[str, Any], context: Context, edge: Edge) -> Any:
        if "read" not in event:
            return json.loads(json.dumps(command_handler.process(event, context, edge)))
        key, since = event["read"], self.schedule.now
        try:
            found = edge.commands.model.read_aggregates(
                [key], remaining=lambda: context.get_remaining_time_in_millis() / 1000
            )[key]
        except Contended:
            return {"status": 503}
        self.books.seen.append(Seen(key, since, self.schedule.now, found))
        return {"read": True}

    def _count_conflicts(self, conflicts: int) -> None:
        self.books.conflicts += conflicts

    # What happens.

    def ask(self, asks: Sequence[Ask]) -> None:
        self.clients += [Client(self, ask) for ask in asks]

    def lose(self, key: str, at: float) -> None:
        """Its item is deleted, by time to live or by hand, if it is old enough for clocks not to matter."""
        self.schedule.at(START + at, lambda: self._lose(key))

    def _lose(self, key: str) -> None:
        item = self.dynamodb.tables[AGGREGATES].items.get((key,))
        made = [change.at for change in self.books.changes if change.key == key and change.before is None]
        if item is not None and (ABOUT not in item or self.schedule.now - made[-1] > 4):
            self._write(key, "lost", None)

    def adopt(self, key: str, versioned_at: float) -> None:
        """There is an item from before, without a version; later a backfill gives it one."""
        self._write(key, "adopted", {KEY: {"S": key}, "n": {"N": "1"}, "by": {"L": [{"S": "others"}]}})
        self.schedule.at(START + versioned_at, lambda: self._backfill(key))

    def _backfill(self, key: str) -> None:
        item = self.dynamodb.tables[AGGREGATES].items.get((key,))
        if item is not None and ABOUT not in item:
            now = {"N": str(int(self.schedule.now * 1000))}
            self._write(key, "backfilled", {**item, ABOUT: {"M": {"version": now, "at": now}}})

    def _write(self, key: str, what: str, item: Item | None) -> None:
        self.trace("keeper", what, key)
        self._raw = True
        self.dynamodb._write(AGGREGATES, (key,), item)
        self._raw = False

    def run(self) -> None:
        """Until everybody knows. Raises when somebody never does."""
        self.schedule.run(until=START + LONGEST_SECONDS)
        waiting = [client.ask for client in self.clients if not client.knows]
        assert not waiting, f"never answered: {waiting}"

    def close(self) -> None:
        self.schedule.close()

    # What was seen.

    def trace(self, who: str, what: str, more: Any) -> None:
        self.books.trace.append((self.schedule.now - START, (who, what, more)))

    def _see(self, table: str, before: Item | None, after: Item | None) -> None:
        if table == CLAIMS:
            if after is not None:
                self.books.claims[after["claim"]["S"]].append((self.schedule.now, after["payload"]["S"]))
            return
        old, new = (None if item is None else Aggregate.from_image(item, KEY, Schema(1)) for item in (before, after))
        key = (before or after or {})[KEY]["S"]
        claim, by = self.dynamodb.claim, self.dynamodb.by
        self.books.changes.append(Change(self.schedule.now, key, old, new, claim, by, self._raw))

    def state_of(self, key: str) -> Aggregate | None:
        item = self.dynamodb.tables[AGGREGATES].items.get((key,))
        return None if item is None else Aggregate.from_image(item, KEY, Schema(1))


class Silent:
    def append_keys(self, **_: Any) -> None: ...

    def info(self, *_: Any, **__: Any) -> None: ...

    error = info

    def add_metric(self, **_: Any) -> None: ...

    def flush_metrics(self) -> None: ...


class Client:
    """Asks the same until it is told something that asking again cannot change."""

    def __init__(self, world: CommandWorld, ask: Ask) -> None:
        self._world = world
        self.ask = ask
        self.knows = False
        self.failures = 0
        self._expected: int | None = None
        self._since = START + ask.at
        self._left = ask.again
        self._sent = 0
        self._heard = 0
        self._twice = False
        world.schedule.at(self._since, self._begin)

    def _begin(self) -> None:
        match self.ask.expects:
            case "none":
                self._expected = 0
            case "latest":
                known = [reply.answer for reply in self._world.books.replies if reply.answer.get("key") == self.ask.key]
                self._expected = max((answer["version"] for answer in known if "version" in answer), default=0)
            case _:
                pass
        self._send()

    @property
    def event(self) -> dict[str, Any]:
        ask = self.ask
        if ask.name == "read":
            return {"read": ask.key}
        event = {"id": ask.id or ask.by, "command": ask.name, "key": ask.key, "body": {"by": ask.by}}
        return event if self._expected is None else {**event, "expected_version": self._expected}

    def _send(self) -> None:
        self._sent += 1
        sent = self._sent
        self._since = self._world.schedule.now
        fault = self._world.faults.choose(Call("client", "Request", {"by": self.ask.by}))
        self._world.schedule.after(CLIENT_TIMEOUT_SECONDS, lambda: self._hear(sent, Answer(error="nothing heard")))
        if fault == "request lost":
            return
        self._twice |= fault == "sent twice"
        for _ in range(2 if fault == "sent twice" else 1):
            lost = fault == "answer lost on its way"
            self._world.schedule.after(self._latency(), lambda lost=lost: self._invoke(sent, lost=lost))

    def _invoke(self, sent: int, *, lost: bool) -> None:
        since = self._since

        def answered(answer: Answer) -> None:
            if not lost:
                self._note(since, answer)
                self._hear(sent, answer)

        self._world.function.invoke(self.event, answered)

    def _note(self, since: float, answer: Answer) -> None:
        """Whatever came, also from the twin of a request."""
        if _says_nothing(answer) or self.ask.name == "read":
            return
        alone = self._sent == 1 and not self._twice
        reply = Reply(self.ask, self._expected, since, self._world.schedule.now, answer.result, alone)
        self._world.books.replies.append(reply)

    def _hear(self, sent: int, answer: Answer) -> None:
        if self.knows or sent <= self._heard or sent < self._sent:
            return
        self._heard = sent
        if _says_nothing(answer):
            self.failures += 1
            self._world.schedule.after(self._world.chance.uniform(0, 1), self._send)
            return
        if self._left:
            self._left -= 1
            self._world.schedule.after(self._world.chance.choice((0.0, 1.0, 60.0)), self._send)
            return
        self.knows = True

    def _latency(self) -> float:
        return self._world.chance.choice((0.0, 0.01, 0.05)) * self._world.chance.random()


def _says_nothing(answer: Answer) -> bool:
    return answer.error is not None or answer.result.get("status") == 503


def claim_of(ask: Ask) -> str:
    return f"{NAMESPACE}#command/{ask.id or ask.by}"


def version_of(aggregate: Aggregate | None) -> int:
    """That a command may expect: 0 where there is none; of one without a version none that can be."""
    return 0 if aggregate is None or aggregate.state is None else aggregate.version or -1
