"""A saga that asks: whoever decides, whatever is lost, repeated, late or dies, there is one outcome, and all know."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk.assertions import Template

from serverless_patterns import Handler, Retry, SagaApproval, SagaStateMachine, SagaStep
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.approvals import Approvals
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions
from tests.template.stacks import HANDLERS

from . import approval_world
from .approval_definition import APPROVAL, SECONDS, with_approval
from .approval_world import PLANS, ApprovalWorld, Decider
from .faults import ANYWHERE, CLIENTS, TASKS, TRANSACTIONS, Chosen, OneFault, When
from .saga_definition import LONGEST_FUNCTION_SECONDS, NAMESPACE, Plan
from .saga_invariants import all_or_nothing, end_of, never_twice, undone_in_reverse
from .saga_template import definition_in
from .schedules import Violation
from .searching import others_found

Patch = pytest.MonkeyPatch
FAULTS = (*ANYWHERE, *TRANSACTIONS, *TASKS, *CLIENTS)

STORIES: dict[str, tuple[Sequence[Decider], Sequence[str]]] = {
    "approved": ([Decider("ann", again=1)], ()),
    "rejected": ([Decider("ann", "reject", again=1)], ()),
    "two at once": ([Decider("ann"), Decider("bob", "reject", after=1.05)], ()),
    "the same from two": ([Decider("ann", again=1), Decider("bob", after=1.02, again=1)], ()),
    "nobody": ([], ()),
    "after the reminder": ([Decider("ann", after=SECONDS * 0.7)], ()),
    "at the reminder": ([Decider("ann", after=SECONDS / 2 - 0.2), Decider("bob", "reject", SECONDS / 2 - 0.1)], ()),
    "at the end": ([Decider("ann", after=SECONDS - 0.5), Decider("bob", "reject", SECONDS - 0.4)], ()),
    "too late": ([Decider("ann", after=SECONDS + 20)], ()),
    "mail fails once": ([Decider("ann")], ("fails",)),
    "mail never works": ([Decider("ann")], ("fails",) * 20),
    "the function dies before the mail": ([Decider("ann")], ("dies",)),
    "every reminder dies": ([Decider("ann", after=SECONDS * 0.8)], ("tells", *("dies",) * 20)),
    "every reminder dies, and nobody decides": ([], ("tells", *("dies",) * 20)),
}


def run(story: str, seed: int | str = 7, faults: Any = None) -> ApprovalWorld:
    deciders, notify = STORIES[story]
    return judged(ApprovalWorld(deciders, seed, faults, notify=notify))


def judged(world: ApprovalWorld) -> ApprovalWorld:
    try:
        world.run()
        check(world)
    except Violation:
        raise
    except AssertionError as failure:
        raise Violation(str(failure)) from failure
    finally:
        world.close()
    return world


def check(world: ApprovalWorld) -> None:
    """Raises Violation, or AssertionError."""
    for invariant in (all_or_nothing, never_twice, undone_in_reverse):
        invariant(world)
    went_on = "Ship" in world.execution.entered
    said = {json.dumps(told.body, sort_keys=True) for told in world.told if told.status == 200}
    if len(said) > 1:
        raise Violation(f"two decisions: {said}")
    for told in world.told:
        if told.status not in {200, 410}:
            raise Violation(f"somebody was told {told.status}")
        if told.status == 200:
            if told.body["decision"] != told.decider.says or told.body["by"]["id"] != told.decider.name:
                raise Violation("somebody was told another's decision as their own")
            if (told.body["decision"] == "approve") != went_on:
                raise Violation(f"told {told.body['decision']}, and the saga went {'on' if went_on else 'back'}")
    recorded = [item for (key,), item in world.claims().items() if key.startswith("approval#")]
    approved = any(item.get("decision") == {"S": "approve"} for item in recorded)
    if went_on != approved:
        raise Violation(f"{'went on' if went_on else 'went back'}, and the table says the other")
    if approved and not any(told.status == 200 for told in world.told):
        raise Violation("approved, and whoever did was told otherwise")
    for item in recorded:
        if "decision" in item and "closed" in item:
            raise Violation("decided and closed")


def error_of(world: ApprovalWorld) -> str | None:
    assert world.execution.ended is not None
    return world.execution.ended.output.get("error", {}).get("Error")


@pytest.mark.parametrize(
    ("story", "end", "error"),
    [
        ("approved", contract.SUCCEEDED, None),
        ("rejected", contract.COMPENSATED, "Rejected"),
        ("nobody", contract.COMPENSATED, "NotDecided"),
        ("after the reminder", contract.SUCCEEDED, None),
        ("too late", contract.COMPENSATED, "NotDecided"),
        ("mail fails once", contract.SUCCEEDED, None),
        ("mail never works", contract.COMPENSATED, "NotAsked"),
        ("the function dies before the mail", contract.SUCCEEDED, None),
        ("every reminder dies", contract.SUCCEEDED, None),
        ("every reminder dies, and nobody decides", contract.COMPENSATED, "NotDecided"),
    ],
)
def test_how_it_ends_when_nothing_goes_wrong(story: str, end: str, error: str | None) -> None:
    world = run(story)
    assert (end_of(world), error_of(world)) == (end, error)
    assert world.execution.ended is not None
    if end == contract.SUCCEEDED:
        result = world.execution.ended.output["results"][APPROVAL]
        assert result == world.told[-1].body
        assert result["by"] == {"id": "ann", "kind": "lambda"}


def test_who_comes_after_the_end_is_told_so() -> None:
    assert [told.status for told in run("too late").told] == [410]


@pytest.mark.parametrize("story", STORIES)
def test_no_single_fault_at_any_call_makes_two_outcomes(story: str) -> None:
    observer = OneFault(-1, "")
    run(story, faults=observer)
    for number, call in enumerate(observer.calls):
        for kind in call.possible:
            try:
                run(story, faults=OneFault(number, kind))
            except AssertionError as failure:
                where = f"{kind} at call {number}, {call.service} {call.operation}"
                raise AssertionError(f"{where}: {failure}") from failure


def schedules(number: int) -> Iterator[Callable[[], object]]:
    def one(seed: int) -> ApprovalWorld:
        chance = random.Random(f"approval {seed}")
        deciders, notify = STORIES[chance.choice(list(STORIES))]
        kinds = chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
        faults = Chosen(chance, chance.choice((0.05, 0.2, 0.5)), chance.choice((1, 2, 3)), kinds)
        return judged(ApprovalWorld(deciders, chance.getrandbits(64), faults, notify=notify))

    return (partial(one, seed) for seed in range(number))


def test_no_schedule_makes_two_outcomes() -> None:
    for one in schedules(200):
        one()


def test_a_function_that_dies_between_the_decision_and_the_task_loses_nothing() -> None:
    """And nobody asks again: the decision is found when the reminder is due."""
    dies = When("crash before", lambda call: call.operation == "SendTaskSuccess", times=1)
    world = ApprovalWorld([Decider("ann", after=1.0)], 3, dies)
    world._ask = partial(_once, world, world._ask)  # type: ignore[method-assign]
    judged_without_answers(world)
    assert world.told == []
    assert end_of(world) == contract.SUCCEEDED
    assert f"{APPROVAL} reminded" in world.execution.entered


def _once(_: ApprovalWorld, ask: Any, decider: Decider, again: int, patience: int) -> None:
    if patience == 40:
        ask(decider, again, patience)


def judged_without_answers(world: ApprovalWorld) -> None:
    try:
        world.run()
        all_or_nothing(world)
    finally:
        world.close()


def test_the_synthesized_definition_is_the_one_that_was_proven() -> None:
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    seconds = Duration.seconds(LONGEST_FUNCTION_SECONDS)

    def handler(function: str) -> Handler:
        return Handler(HANDLERS, f"checkout:{function}", timeout=seconds)

    def step(name: str) -> SagaStep:
        retries = {"retry": Retry(6), "compensation_retry": Retry(13, longest_delay=Duration.hours(1))}
        return SagaStep(name, handler("reserve"), compensation=handler("release"), **retries)  # type: ignore[arg-type]

    manager = SagaApproval(APPROVAL, notify=handler("refund"), timeout=Duration.seconds(SECONDS))
    SagaStateMachine(stack, NAMESPACE, steps=[step("Reserve"), manager, step("Ship")])
    template = Template.from_stack(stack).to_json()
    made, proven = definition_in(template)["States"], with_approval(PLANS)["States"]
    functions = [id for id, it in template["Resources"].items() if it["Type"] == "AWS::Lambda::Function"]
    (function,) = [id for id in functions if "Notify" in id]
    for name in (APPROVAL, f"{APPROVAL} reminded", f"{APPROVAL} not reminded", f"Close {APPROVAL}"):
        text = json.dumps(made[name]).replace(function, f"notify {APPROVAL}")
        assert json.loads(text) == proven[name], name


# What each safeguard is for.


def without_condition(patch: Patch, text: str, instead: str) -> None:
    original = Approvals._update

    def update(self: Any, locator: str, expression: str, condition: str, values: Any) -> Any:
        changed = condition.replace(text, instead)
        used = {name: value for name, value in values.items() if name in f"{expression} {changed}"}
        return original(self, locator, expression, changed, used)

    patch.setattr(Approvals, "_update", update)


def decided_twice(patch: Patch) -> None:
    without_condition(patch, " AND attribute_not_exists(#decision) AND attribute_not_exists(#closed)", "")


def closed_is_not_looked_at(patch: Patch) -> None:
    without_condition(patch, " AND attribute_not_exists(#closed)", "")
    without_condition(patch, " AND #deadline > :now", "")


def late_tokens(patch: Patch) -> None:
    without_condition(patch, " AND (attribute_not_exists(#asked) OR #asked <= :number)", "")


def closed_over_a_decision(patch: Patch) -> None:
    original = Approvals._update

    def update(self: Any, locator: str, expression: str, condition: str, values: Any) -> Any:
        if condition == "attribute_not_exists(#decision)":
            condition = "attribute_not_exists(#decision) OR attribute_exists(#decision)"
        return original(self, locator, expression, condition, values)

    patch.setattr(Approvals, "_update", update)


def a_dead_token_is_too_late(patch: Patch) -> None:
    patch.setattr(CallersExecutions, "is_ours_to_end", lambda *_: False)


def back_without_closing(patch: Patch) -> None:
    def defines(plans: Sequence[Plan]) -> Mapping[str, Any]:
        made = json.loads(json.dumps(with_approval(plans)))
        states, back = made["States"], made["States"].pop(f"Close {APPROVAL}")["Catch"][0]["Next"]
        for name in (APPROVAL, f"{APPROVAL} reminded"):
            for catcher in states[name]["Catch"]:
                if catcher["Next"] in (f"Close {APPROVAL}", f"{APPROVAL} not reminded"):
                    catcher |= {"ResultPath": "$.saga.error", "Next": back}
        del states[f"{APPROVAL} not reminded"]
        return made

    patch.setattr(approval_world, "with_approval", defines)


def a_failed_reminder_is_the_end(patch: Patch) -> None:
    def defines(plans: Sequence[Plan]) -> Mapping[str, Any]:
        made = json.loads(json.dumps(with_approval(plans)))
        made["States"][f"{APPROVAL} not reminded"]["Seconds"] = 0
        return made

    patch.setattr(approval_world, "with_approval", defines)


def test_without_the_wait_a_failed_reminder_ends_the_approval(monkeypatch: Patch) -> None:
    a_failed_reminder_is_the_end(monkeypatch)
    assert end_of(run("every reminder dies")) == contract.COMPENSATED


REMOVALS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "a decision counts once": (decided_twice, "two decisions|the saga went|another's|told otherwise"),
    "what is closed is not decided": (closed_is_not_looked_at, "the saga went|the table says|decided and closed"),
    "what is decided is not closed": (closed_over_a_decision, "decided and closed|the saga went|the table says"),
    "nobody goes back before it is closed": (back_without_closing, "the saga went|the table says"),
    "a decision counts whose token is dead": (a_dead_token_is_too_late, "was told otherwise"),
}


@pytest.mark.parametrize("name", REMOVALS)
def test_without_it_a_schedule_goes_wrong(name: str, monkeypatch: Patch) -> None:
    take_out, violates = REMOVALS[name]
    take_out(monkeypatch)
    assert others_found(violates, schedules(1_500)) is None
