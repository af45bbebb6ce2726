"""Sagas with branches, choices and waits: what a test writes down of one, and the definition that the library makes."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from types import MappingProxyType
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns import Handler, Retry, SagaChoice, SagaParallel, SagaStep, SagaWait
from serverless_patterns._saga_state_machine.checks import largest_result
from serverless_patterns._saga_state_machine.definition import definition
from serverless_patterns._saga_state_machine.plan import all_steps, planned
from serverless_patterns._saga_state_machine.states import DISCARD, Resources
from tests.template.stacks import HANDLERS

from .saga_definition import LONGEST_FUNCTION_SECONDS, NAMESPACE, Plan
from .saga_ledger import DECLINED
from .saga_schedules import ACTIONS, COMPENSATIONS
from .world import CLAIMS

__all__ = [
    "Beside",
    "Node",
    "Pick",
    "Rest",
    "Tree",
    "described",
    "flat",
    "largest",
    "on_tree",
    "precedes",
    "replaced",
    "taken",
    "trees",
]


@dataclass(frozen=True)
class Beside:
    name: str
    branches: Sequence["Tree"]


@dataclass(frozen=True)
class Pick:
    """By a number of the input, or by whether a step before it has left a result."""

    name: str
    ways: Sequence[tuple[int | str, "Tree"]]
    """Under which number of `$.way`, or after which step, each is taken."""
    otherwise: "Tree" = ()


@dataclass(frozen=True)
class Rest:
    name: str
    seconds: int = 5
    until: bool = False
    """Until `$.at` instead."""


Node = Plan | Beside | Pick | Rest
Tree = Sequence[Node]


def flat(tree: Tree) -> list[Plan]:
    """All steps, in the order in which they are written."""
    found: list[Plan] = []
    for node in tree:
        match node:
            case Plan():
                found.append(node)
            case Beside():
                found += [plan for branch in node.branches for plan in flat(branch)]
            case Pick():
                found += [plan for _, way in node.ways for plan in flat(way)] + flat(node.otherwise)
            case Rest():
                pass
    return found


def taken(tree: Tree, way: int, done: frozenset[str] = frozenset()) -> list[Node]:
    """What is left of the tree when every choice is replaced by the way that it takes."""
    left: list[Node] = []
    for node in tree:
        before = done | {plan.name for plan in flat(left)}
        match node:
            case Beside():
                branches = [taken(branch, way, before) for branch in node.branches]
                left.append(replace(node, branches=branches))
            case Pick():
                follows = (steps for when, steps in node.ways if when == way or when in before)
                left += taken(next(follows, node.otherwise), way, before)
            case _:
                left.append(node)
    return left


def precedes(tree: Tree) -> set[tuple[str, str]]:
    """Of a tree without choices: pairs of steps of which the second begins when the first is done."""
    pairs, before = set[tuple[str, str]](), list[str]()
    for node in tree:
        inside = [plan.name for plan in flat([node])]
        pairs |= {(first, second) for first in before for second in inside}
        if isinstance(node, Beside):
            pairs |= {pair for branch in node.branches for pair in precedes(branch)}
        before += inside
    return pairs


# What the library makes of it.


def described(tree: Tree, *, backward: bool | None = None) -> list[Any]:
    """As a user writes it."""
    pivot = next((at for at, node in enumerate(tree) if isinstance(node, Plan) and node.pivot), len(tree) - 1)
    return [_described(node, at <= pivot if backward is None else backward) for at, node in enumerate(tree)]


def _described(node: Node, backward: bool) -> Any:
    match node:
        case Plan():
            return SagaStep(
                node.name,
                _handler(node.name, "reserve" if node.effects else "charge"),
                compensation=_handler(node.name, "release" if node.effects else "refund") if backward else None,
                retry=_retry(node.retries),
                compensation_retry=_retry(node.undo_retries, hours=1) if backward else None,
                pivot=node.pivot,
                no_effect_errors=node.declares,
            )
        case Beside():
            return SagaParallel([described(branch, backward=backward) for branch in node.branches], name=node.name)
        case Pick():
            when = [(_condition(when), described(way, backward=backward)) for when, way in node.ways]
            return SagaChoice(node.name, when=when, otherwise=described(node.otherwise, backward=backward))
        case Rest():
            if node.until:
                return SagaWait(node.name, until="$.at", longest=_seconds(60))
            return SagaWait(node.name, duration=_seconds(node.seconds))


def on_tree(tree: Tree) -> Mapping[str, Any]:
    """The definition, with the names of the simulated account."""
    plan = planned(described(tree))
    names = [step.name for step in all_steps(plan)]
    actions, compensations = ({name: f"{kind} {name}" for name in names} for kind in ("action", "compensation"))
    made = definition(plan, Resources("aws", CLAIMS, NAMESPACE, actions, compensations))
    return _plain(made)


def largest(tree: Tree) -> int:
    """Bytes that the library gives each result."""
    return largest_result(planned(described(tree)))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case _:
            return None if value == DISCARD else value


@lru_cache(maxsize=1024)
def _handler(_: str, function: str) -> Handler:
    """One for each step."""
    return Handler(HANDLERS, f"checkout:{function}", timeout=_seconds(LONGEST_FUNCTION_SECONDS))


@lru_cache
def _retry(retries: int, hours: int = 0) -> Retry:
    return Retry(retries + 1, longest_delay=Duration.hours(hours)) if hours else Retry(retries + 1)


@lru_cache
def _seconds(number: int) -> Duration:
    return Duration.seconds(number)


@lru_cache
def _condition(when: int | str) -> sfn.Condition:
    if isinstance(when, int):
        return sfn.Condition.number_equals("$.way", when)
    return sfn.Condition.is_present(f"$.saga.results.{when}.receipt")


# By chance.


def trees(
    chance: random.Random, step: Mapping[str, Any] = MappingProxyType({}), effects: bool | None = None
) -> list[Node]:
    """Up to about eight steps; one of them as `step` says."""
    number = chance.randint(1, 4)
    pivot = chance.choice((None, None, *range(number + 1)))
    names = count()
    tree: list[Node] = []
    for at in range(number + (pivot is not None)):
        if at == pivot:
            tree.append(replace(_plan(chance, names, effects, backward=True), pivot=True))
        else:
            known = [plan.name for plan in flat(tree)]
            backward = pivot is None or at < pivot
            tree.append(_node(chance, names, effects, known, backward=backward, depth=2))
    if not flat(tree):
        tree.append(_plan(chance, names, effects, backward=pivot is None))
    if not step:
        return tree
    odd = chance.choice(flat(tree)).name
    return list(replaced(tree, odd, step))


def _node(
    chance: random.Random, names: Iterator[int], effects: bool | None, known: list[str], *, backward: bool, depth: int
) -> Node:
    def some(low: int, before: Sequence[str]) -> list[Node]:
        made: list[Node] = []
        for _ in range(chance.randint(low, 2)):
            made.append(_node(chance, names, effects, list(before), backward=backward, depth=depth - 1))
        return made

    kind = chance.choices(("step", "beside", "pick", "rest"), (5, 4, 2, 1) if depth else (9, 0, 0, 1))[0]
    if kind == "beside":
        branches = [some(1, known) for _ in range(chance.choice((2, 2, 3)))]
        return Beside(f"Fork{next(names)}", branches)
    if kind == "pick":
        whens: list[int | str] = [1, 2, *known[:2]]
        ways = [(when, some(0, known)) for when in chance.sample(whens, chance.randint(1, 2))]
        way = (ways[0][0], [*ways[0][1], _plan(chance, names, effects, backward=backward)])
        return Pick(f"Pick{next(names)}", [way, *ways[1:]], some(0, known))
    if kind == "rest":
        return Rest(f"Rest{next(names)}", chance.choice((1, 30)), chance.random() < 0.4)
    return _plan(chance, names, effects, backward=backward)


def _plan(chance: random.Random, names: Iterator[int], effects: bool | None, *, backward: bool) -> Plan:
    return Plan(
        name=f"Step{next(names)}",
        effects=chance.random() < 0.5 if effects is None else effects,
        does=chance.choices(list(ACTIONS), [10 * ACTIONS["ok"], *list(ACTIONS.values())[1:]])[0]
        if chance.random() < 0.7
        else chance.choices(list(ACTIONS), list(ACTIONS.values()))[0],
        undo=chance.choices(list(COMPENSATIONS), list(COMPENSATIONS.values()))[0],
        seconds=chance.choice((0.1, 0.1, 4.0)),
        retries=chance.choice((5, 5, 5, 0)),
        declares=(DECLINED,) if backward and chance.random() < 0.6 else (),
    )


def replaced(tree: Tree, odd: str, fields: Mapping[str, Any]) -> Iterator[Node]:
    for node in tree:
        match node:
            case Plan():
                yield replace(node, **fields) if node.name == odd else node
            case Beside():
                yield replace(node, branches=[list(replaced(branch, odd, fields)) for branch in node.branches])
            case Pick():
                ways = [(when, list(replaced(way, odd, fields))) for when, way in node.ways]
                yield replace(node, ways=ways, otherwise=list(replaced(node.otherwise, odd, fields)))
            case Rest():
                yield node
