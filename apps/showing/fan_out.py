"""A deployed topic with a fan-in as a demo sees it: its branches, its deadline, and one branch that stands still."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from showing import timeline
from showing.deployed import Clients, DeadLetter, Deployed
from showing.timeline import Handled

COMPLETIONS = "Completions"


@dataclass(frozen=True)
class Branch:
    """One subscriber, or what runs when all of them are done."""

    handled: Sequence[Handled]
    """What it says of every message and receive."""
    dead_letters: Sequence[DeadLetter]
    """Of its queue."""
    undelivered: int
    """Messages that SNS could not bring to its queue."""
    left: int
    """Messages in its queue in the end."""

    @property
    def known_again(self) -> int:
        """Messages that came a second time."""
        return known_again(self.handled)


@dataclass(frozen=True)
class Struck:
    """Something that was broken on the wire."""

    name: str
    how: str
    fired: int


def known_again(handled: Iterable[Handled]) -> int:
    """Messages that came a second time, by these lines."""
    return len({line.message_id for line in handled if line.outcome == "Duplicate"})


class FanOut(Deployed):
    def __init__(self, clients: Clients, outputs: Mapping[str, str], branches: Sequence[str]) -> None:
        """`outputs` are the stack's, by `stacks.fan_out_outputs`."""
        super().__init__(clients)
        self._outputs, self._branches = outputs, branches
        self._events = clients.client("events")
        self.fan_in_table = outputs["FanInTable"]

    def late(self) -> dict[str, frozenset[str]]:
        """What was refused because it came too late: names of branches by the message's key."""
        heads = [row for row in self.rows(self.fan_in_table) if row.get("late")]
        return {row["fan_in"].partition("#")[2]: frozenset(row["late"]) for row in heads}

    def close(self, branch: str) -> None:
        """It takes nothing in until it opens."""
        self.take_in(self._outputs[f"{branch}Function"], False)

    def open(self, branch: str) -> None:
        self.take_in(self._outputs[f"{branch}Function"], True)

    @contextmanager
    def stopped_clock(self) -> Generator[None]:
        """In here deadlines come when the demo looks at them, not each minute: it need not be fast."""
        sweep = self._lambda.get_function_configuration(FunctionName=self._outputs["FanInSweep"])
        rules = self._events.list_rule_names_by_target(TargetArn=sweep["FunctionArn"])["RuleNames"]
        for rule in rules:
            self._events.disable_rule(Name=rule)
        yield
        for rule in rules:
            self._events.enable_rule(Name=rule)

    def look_at_deadlines(self) -> None:
        """What the rule does each minute."""
        self.invoke(self._outputs["FanInSweep"])

    def are_drained(self) -> bool:
        return not any(self._left(name) for name in (*self._branches, COMPLETIONS))

    def handled(self, name: str) -> list[Handled]:
        """What a branch, or `COMPLETIONS`, has said by now of every message and receive."""
        return timeline.handled(self.log_of(self._outputs[f"{name}Function"]))

    def branch(self, name: str) -> Branch:
        """Or `COMPLETIONS`. Only meaningful while nothing moves."""
        undelivered = self._outputs.get(f"{name}UndeliveredUrl")
        return Branch(
            handled=self.handled(name),
            dead_letters=self.dead_letters_in(self._outputs[f"{name}DeadLettersUrl"]),
            undelivered=sum(self.depths_of(undelivered)) if undelivered else 0,
            left=self._left(name),
        )

    def _left(self, name: str) -> int:
        return sum(self.depths_of(self._outputs[f"{name}QueueUrl"]))
