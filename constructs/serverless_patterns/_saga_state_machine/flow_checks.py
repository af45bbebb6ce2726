"""What can be wrong with how a saga's steps stand to each other, seen at synth."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns_runtime.saga_state_machine import contract

from .._checks import Problems
from .._shapes import several, told
from ..handler import Handler
from ..saga_approval import SagaApproval
from ..saga_flow import SagaChoice, SagaParallel, SagaWait
from ..saga_step import SagaStep
from .approval_checks import check_approval
from .conditions import is_usable, looks_at, result_without_saga
from .plan import SagaNode, name_of
from .states import STATES

_NAME = re.compile(contract.STEP_NAME)
_MOST_BRANCHES = 10  # one more is one intrinsic function more than Step Functions nests
_LONGEST_WAIT_SECONDS = 365 * 86_400  # that an execution may take
_NOTHING: frozenset[str] = frozenset()


@dataclass
class Flow:
    """Goes through all that a saga holds, and keeps what it finds."""

    problems: Problems
    steps: list[tuple[SagaStep, int]] = field(default_factory=list[tuple[SagaStep, int]])
    """Each with the index, in the saga, of what it is, or is in."""
    approvals: list[tuple[SagaApproval, int]] = field(default_factory=list[tuple[SagaApproval, int]])
    """Likewise."""
    names: list[str] = field(default_factory=list[str])
    """Of all nodes."""
    pivot: str | None = None
    """The step behind which it now is."""

    def check(self, argument: str, given: Any) -> list[SagaNode]:
        """The nodes of the saga; what is wrong with them goes to the problems."""
        return self._nodes(argument, given, _NOTHING, top=None)[0]

    def _nodes(
        self, argument: str, given: Any, known: frozenset[str], *, top: int | None, branch: bool = False
    ) -> tuple[list[SagaNode], frozenset[str]]:
        """The nodes, and the steps in them. `known`: steps whose results a condition may look at."""
        nodes: list[SagaNode] = []
        found = _NOTHING
        for at, node in enumerate(several(self.problems, argument, given)):
            where, index = f"{argument}[{at}]", at if top is None else top
            seen = known if branch else known | found
            match node:
                case SagaStep():
                    found |= self._step(where, node, index, inside=top is not None)
                case SagaParallel():
                    found |= self._parallel(where, node, seen, index)
                case SagaChoice():
                    found |= self._choice(where, node, seen, index, branch=branch)
                case SagaWait():
                    self._name(where, node.name)
                    self._wait(node, seen)
                case SagaApproval():
                    found |= self._approval(where, node, seen, index, branch=branch)
                case _:
                    self.problems.add(where, "be a SagaStep", told(node), "write SagaStep(name, action, ...)")
                    continue
            nodes.append(node)
        return nodes, found

    def _step(self, where: str, node: SagaStep, index: int, *, inside: bool) -> frozenset[str]:
        self._name(where, node.name)
        self.steps.append((node, index))
        if inside and node.pivot:
            fix = "make a step of the saga itself the pivot, before or behind"
            self.problems.add(f"{node.name!r} pivot", "be left out inside of branches and choices", "True", fix)
        elif node.pivot:
            self.pivot = str(node.name)
        return frozenset([str(node.name)])

    def _approval(
        self, where: str, node: SagaApproval, known: frozenset[str], index: int, *, branch: bool
    ) -> frozenset[str]:
        self._name(where, node.name)
        self.approvals.append((node, index))
        if branch:
            fix = "ask before the branches, or behind them"
            self.problems.add(repr(node.name), "be left out inside of branches", "a SagaApproval", fix)
        check_approval(self.problems, node)
        if node.when is not None:
            self._condition(f"{node.name!r} when", node.when, known)
        return frozenset([str(node.name)])

    def _parallel(self, where: str, node: SagaParallel, known: frozenset[str], index: int) -> frozenset[str]:
        argument = f"{where} branches"
        branches = several(self.problems, argument, node.branches)
        if not 2 <= len(branches) <= _MOST_BRANCHES:
            fix = "one is a step of the saga; more than ten go into two parallels"
            self.problems.add(argument, f"be from 2 to {_MOST_BRANCHES}", str(len(branches)), fix)
        found, first = _NOTHING, None
        for at, branch in enumerate(branches):
            given: Any = [branch] if isinstance(branch, SagaNode) else branch
            nodes, within = self._nodes(f"{argument}[{at}]", given, known, top=index, branch=True)
            if not nodes:
                self.problems.add(f"{argument}[{at}]", "hold a SagaStep or more", "none", "leave the branch out")
            first = nodes[0] if at == 0 and nodes else first
            found |= within
        if node.name is not None:
            self._name(where, node.name)
        elif first is not None and _makes_a_name(first):
            self.names.append(name_of(SagaParallel([first])))
        elif first is not None:
            fix = "the name of the first step makes none of at most 64 characters"
            self.problems.add(f"{where} name", "be given", "None", fix)
        return found

    def _choice(
        self, where: str, node: SagaChoice, known: frozenset[str], index: int, *, branch: bool
    ) -> frozenset[str]:
        self._name(where, node.name)
        argument = f"{node.name!r} when"
        pairs = several(self.problems, argument, node.when)
        if len(pairs) == 2 and isinstance(pairs[0], sfn.Condition) and isinstance(pairs[1], list):
            fix = "a choice has several: wrap each in brackets, when=[(condition, [steps])]"
            self.problems.add(argument, "be a list of pairs, each a condition and steps", "a condition first", fix)
            return _NOTHING
        if not pairs:
            fix = "without a condition it is no choice"
            self.problems.add(argument, "hold a condition or more", "none", fix)
        found, number = _NOTHING, 0
        for at, pair in enumerate(pairs):
            if not isinstance(pair, tuple | list) or len(pair) != 2:  # pyright: ignore[reportUnknownArgumentType]
                self.problems.add(f"{argument}[{at}]", "be a condition and steps", told(pair), "(condition, [steps])")  # pyright: ignore[reportUnknownArgumentType]
                continue
            condition, given = pair  # pyright: ignore[reportUnknownVariableType]
            self._condition(f"{argument}[{at}]", condition, known)
            nodes, within = self._nodes(f"{argument}[{at}][1]", given, known, top=index, branch=branch)
            found, number = found | within, number + len(nodes)
        nodes, within = self._nodes(f"{node.name!r} otherwise", node.otherwise, known, top=index, branch=branch)
        if pairs and not number + len(nodes):
            self.problems.add(repr(node.name), "hold a SagaStep or more", "none", "leave the choice out")
        return found | within

    def _condition(self, argument: str, condition: Any, known: frozenset[str]) -> None:
        if not isinstance(condition, sfn.Condition):
            fix = "write sfn.Condition.number_greater_than('$.amount', 100)"
            self.problems.add(argument, "be a condition of aws_stepfunctions", told(condition), fix)
            return
        for path in looks_at(condition.render_condition()):
            self._path(argument, path, known)

    def _path(self, argument: str, path: str, known: frozenset[str]) -> None:
        step = result_without_saga(path)
        if step is not None and step in {*known, *self.names}:
            fix = f"write '$.{contract.SAGA}{path[1:]}': at the top is the input"
            self.problems.add(argument, "look for results of steps where they are", repr(path), fix)
        elif not is_usable(path, known):
            must = "look at the input, or at results of steps that are done by then"
            fix = "$.amount or $.saga.results.<Step>.amount; in branches, of steps before the branches"
            self.problems.add(argument, must, repr(path), fix)
        elif self.pivot is not None and not is_usable(path, known - self._unclaimed()):
            must = f"look at the input, at results of Handlers or at approvals behind {self.pivot}"
            fix = "a recovery does not know what others have returned, and would go another way: ask a Handler"
            self.problems.add(argument, must, repr(path), fix)

    def _unclaimed(self) -> frozenset[str]:
        """Steps whose results nothing keeps."""
        return frozenset(str(step.name) for step, _ in self.steps if not isinstance(step.action, Handler))

    def _wait(self, node: SagaWait, known: frozenset[str]) -> None:
        if (node.duration is None) == (node.until is None):
            got = "neither" if node.until is None else "both"
            self.problems.add(repr(node.name), "have a duration, or until", got, "write duration=Duration.hours(1)")
            return
        if node.until is not None:
            self._path(f"{node.name!r} until", str(node.until), known)
            fix = "say how long it is at most: claims must outlive the execution"
            self._length(f"{node.name!r} longest", node.longest, fix)
            return
        self._length(f"{node.name!r} duration", node.duration, "an execution may take a year")
        if node.longest is not None:
            fix = "leave it out: it is known how long that is"
            self.problems.add(f"{node.name!r} longest", "be left out beside a duration", "a value", fix)

    def _length(self, argument: str, duration: Any, fix: str) -> None:
        self.problems.duration(argument, duration, 1, _LONGEST_WAIT_SECONDS, fix)
        if getattr(duration, "is_unresolved", bool)():
            self.problems.add(argument, "be known at synth", "a token", "write its number")

    def _name(self, where: str, name: Any) -> None:
        self.names.append(str(name))
        if not _NAME.fullmatch(str(name)):
            must = "be a letter, then letters, digits or _, at most 64"
            self.problems.add(f"{where} name", must, repr(name), "it is part of paths: 'ReserveStock'")
        elif name in STATES:
            must = f"be none of {', '.join(STATES)}"
            self.problems.add(f"{where} name", must, repr(name), "these are states of every saga: rename the step")


def _makes_a_name(first: SagaNode) -> bool:
    return first.name is not None and _NAME.fullmatch(f"Parallel{first.name}") is not None
