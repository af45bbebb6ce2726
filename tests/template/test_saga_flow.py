"""What branches, choices and waits become, and what synth refuses of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns import SagaApproval, SagaChoice, SagaParallel, SagaStep, SagaWait
from serverless_patterns_runtime.saga_state_machine import contract
from tests.template.sagas import a_saga, a_step, a_step_handler, the_definition
from tests.template.stacks import new_stack, refusal, the

IS = sfn.Condition


def states_of(*steps: Any) -> dict[str, dict[str, Any]]:
    stack = new_stack()
    a_saga(stack, steps=steps)
    return dict(the_definition(stack)["States"])


def forward(name: str) -> SagaStep:
    return SagaStep(name, a_step_handler("ship"))


def ways(state: dict[str, Any]) -> dict[str, str]:
    return {error: each["Next"] for each in state.get("Catch", ()) for error in each["ErrorEquals"]}


# Branches.


def test_branches_go_forward_and_back_beside_each_other() -> None:
    states = states_of(SagaParallel([a_step("A"), [a_step("B"), a_step("C")]], name="Fork"), a_step("D"))
    fork, undo = states["Fork"], states["Undo Fork"]
    assert [list(branch["States"]) for branch in fork["Branches"]] == [["A"], ["B", "C"]]
    assert [branch["StartAt"] for branch in undo["Branches"]] == ["Undo A", "Undo C"]
    assert undo["Branches"][1]["States"]["Undo C"]["Next"] == "Undo B"
    assert (fork["Next"], undo["Next"]) == ("D", "Undone")
    assert ways(fork) == {"States.DataLimitExceeded": "Undo Fork", "States.ALL": "Undo Fork"}
    assert ways(states["D"])["States.ALL"] == "Undo D"
    assert states["Undo D"]["Next"] == "Undo Fork"


def test_a_step_in_a_branch_has_no_catch_so_that_its_error_ends_all_branches() -> None:
    states = states_of(SagaParallel([a_step("A", no_effect_errors=["SoldOut"]), a_step("B")], name="Fork"))
    inside = states["Fork"]["Branches"][0]["States"]["A"]
    assert "Catch" not in inside
    assert inside["Retry"][0]["ErrorEquals"] == [contract.PERMANENT_ERROR, "SoldOut"]


@pytest.mark.parametrize("number", [2, 3, 10])
def test_results_of_branches_are_joined(number: int) -> None:
    states = states_of(SagaParallel([a_step(f"Step{at}") for at in range(number)], name="Fork"))
    selector = states["Fork"]["ResultSelector"]
    assert selector["status"] == "SUCCEEDED"
    assert selector["results.$"].count("States.JsonMerge") == number - 1 < 10
    assert all(f"$[{at}].results" in selector["results.$"] for at in range(number))
    assert (states["Fork"]["ResultPath"], states["Fork"]["OutputPath"]) == ("$.saga", "$.saga")


def test_a_branch_with_nothing_to_undo_is_passed_over_on_the_way_back() -> None:
    look = SagaStep("Look", a_step_handler("charge"), nothing_to_undo=True)
    states = states_of(SagaParallel([look, a_step("B")], name="Fork"))
    assert [branch["StartAt"] for branch in states["Undo Fork"]["Branches"]] == ["Undo B"]
    states = states_of(SagaParallel([look, SagaStep("Ask", a_step_handler(), nothing_to_undo=True)], name="Fork"))
    assert "Undo Fork" not in states
    assert ways(states["Fork"])["States.ALL"] == "Undone"


def test_a_compensation_in_a_branch_is_given_the_saga_s_document() -> None:
    states = states_of(SagaParallel([a_step("A"), a_step("B")], name="Fork"))
    undo = states["Undo Fork"]
    assert undo["Parameters"] == {"state.$": "$", "parked": {}}
    inside = undo["Branches"][0]["States"]
    assert inside["Undo A"]["Parameters"]["state.$"] == "$.state"
    assert inside["Park A"]["Parameters"]["Item"]["state"] == {"S.$": "States.JsonToString($.state)"}
    assert inside["Fork 1 undone"] == {"Type": "Succeed", "OutputPath": "$.parked"}


def test_what_a_branch_could_not_undo_is_seen_at_the_end() -> None:
    inner = SagaParallel([a_step("A"), a_step("B")], name="Inner")
    states = states_of(SagaParallel([[inner], a_step("C")], name="Fork"))
    assert [rule["Variable"] for rule in states["Undone"]["Choices"]] == [
        "$.saga.parked",
        "$.saga.undone.Fork.parked.Inner.Error",
        "$.saga.undone.Fork.parked.Inner.parked.A",
        "$.saga.undone.Fork.parked.Inner.parked.B",
        "$.saga.undone.Fork.parked.C",
    ]
    assert states["Undo Fork"]["Catch"][-1]["ResultPath"] == "$.saga.parked.Fork"


def test_behind_the_pivot_a_branch_parks_what_fails_and_the_others_go_on() -> None:
    states = states_of(a_step("P", pivot=True), SagaParallel([[forward("A"), forward("B")], forward("C")], name="Fork"))
    inside = states["Fork"]["Branches"][0]["States"]
    assert ways(inside["A"])["States.ALL"] == "Park A"
    assert inside["Park A"]["Next"] == "Fork 1 done"
    assert inside["Park A"]["ResultPath"] == "$.saga.results._parked.A"
    parked = {"Variable": "$.saga.results._parked", "IsPresent": True, "Next": "ForwardParked"}
    assert states["Fork joined"] == {"Type": "Choice", "Choices": [parked], "Default": "Saga done"}
    assert ways(states["Fork"])["States.ALL"] == "Park Fork"
    assert "Undo Fork" not in states


def test_the_branches_own_name_is_that_of_the_first_step() -> None:
    assert "ParallelA" in states_of(SagaParallel([a_step("A"), a_step("B")]))


def test_a_saga_that_begins_with_branches_needs_no_state_to_begin() -> None:
    states = states_of(SagaParallel([a_step("A"), a_step("B")], name="Fork"))
    assert all(branch["States"][branch["StartAt"]]["Parameters"]["first"] for branch in states["Fork"]["Branches"])
    assert "Begin saga" not in states


# Choices.


def test_a_choice_goes_the_same_way_back() -> None:
    big = SagaChoice("Big", when=[(IS.number_greater_than("$.amount", 5), [a_step("B")])], otherwise=[a_step("C")])
    states = states_of(a_step("A"), big, a_step("D"))
    rule = {
        "And": [
            {"Variable": "$.amount", "IsPresent": True},
            {"Variable": "$.amount", "NumericGreaterThan": 5},
        ]
    }
    assert states["Big"] == {"Type": "Choice", "Choices": [{**rule, "Next": "B"}], "Default": "C"}
    assert states["Undo Big"] == {"Type": "Choice", "Choices": [{**rule, "Next": "Undo B"}], "Default": "Undo C"}
    assert (states["B"]["Next"], states["C"]["Next"], states["Undo D"]["Next"]) == ("D", "D", "Undo Big")
    assert (states["Undo B"]["Next"], states["Undo C"]["Next"]) == ("Undo A", "Undo A")


def test_the_way_back_from_inside_of_a_choice_needs_no_choice() -> None:
    states = states_of(a_step("A"), SagaChoice("Big", when=[(IS.boolean_equals("$.big", True), [a_step("B")])]))
    assert ways(states["B"])["States.ALL"] == "Undo B"
    assert states["Undo B"]["Next"] == "Undo A"
    assert "Undo Big" not in states


def test_a_choice_in_a_branch_is_made_again_on_the_saga_s_document() -> None:
    choice = SagaChoice("Big", when=[(IS.string_equals_json_path("$.a", "$.b"), [a_step("B")])])
    states = states_of(a_step("A"), SagaParallel([[choice, a_step("C")], a_step("D")], name="Fork"))
    rule = states["Undo Fork"]["Branches"][0]["States"]["Undo Big"]["Choices"][0]
    assert rule["And"] == [
        {"Variable": "$.state.a", "IsPresent": True},
        {"Variable": "$.state.b", "IsPresent": True},
        {"Variable": "$.state.b", "IsString": True},
        {"Variable": "$.state.a", "StringEqualsPath": "$.state.b"},
    ]


def test_a_choice_without_otherwise_ends_the_saga_where_nothing_follows() -> None:
    states = states_of(a_step("A"), SagaChoice("Big", when=[(IS.is_present("$.big"), [a_step("B")])]))
    assert states["Big"]["Default"] == "Saga done"
    assert states["Saga done"] == {"Type": "Succeed", "OutputPath": "$.saga"}
    assert states["B"]["End"]


def test_conditions_are_kept_as_they_are_written() -> None:
    condition = IS.and_(IS.not_(IS.is_present("$.a")), IS.or_(IS.boolean_equals("$.b", True), IS.is_null("$.c")))
    states = states_of(a_step("A"), SagaChoice("Odd", when=[(condition, [a_step("B")])]))
    outer = states["Odd"]["Choices"][0]["And"]
    assert outer[0] == {"Not": {"Variable": "$.a", "IsPresent": True}}
    assert [member["And"][1] for member in outer[1]["Or"]] == [
        {"Variable": "$.b", "BooleanEquals": True},
        {"Variable": "$.c", "IsNull": True},
    ]


def test_a_saga_whose_first_step_is_uncertain_refuses_our_key_and_begins_by_itself() -> None:
    stack = new_stack()
    a_saga(stack, steps=[SagaChoice("Big", when=[(IS.is_present("$.big"), [a_step("A")])]), a_step("B")])
    definition = the_definition(stack)
    states = definition["States"]
    assert definition["StartAt"] == "Check input"
    assert states["Check input"]["Choices"] == [{"Variable": "$.saga", "IsPresent": True, "Next": "Refuse input"}]
    assert (states["Begin saga"]["ResultPath"], states["Begin saga"]["Next"]) == ("$.saga", "Big")
    assert "first" not in states["A"]["Parameters"]


# Waits.


def test_waits() -> None:
    until = SagaWait("Until", until="$.due.at", longest=Duration.days(1))
    states = states_of(SagaWait("Rest", duration=Duration.hours(1)), a_step("A"), until, a_step("B"))
    assert states["Rest"] == {"Type": "Wait", "Seconds": 3600, "Next": "A"}
    assert states["A"]["Parameters"]["first"]
    is_time = [{"Variable": "$.due.at", "IsPresent": True}, {"Variable": "$.due.at", "IsTimestamp": True}]
    assert states["Until"]["Choices"] == [{"And": is_time, "Next": "Until begun"}]
    assert states["Until begun"] == {"Type": "Wait", "TimestampPath": "$.due.at", "Next": "B"}
    assert states["Until refused"]["Next"] == "Undo A"
    assert ways(states["B"])["States.ALL"] == "Undo B"
    assert states["Undo B"]["Next"] == "Undo A"


def test_what_is_no_time_fails_the_branch_and_is_parked_behind_the_pivot() -> None:
    until = {"until": "$.at", "longest": Duration.days(1)}
    states = states_of(
        SagaParallel([[SagaWait("Until", **until), a_step("A")], a_step("B")], name="Fork"),
        a_step("P", pivot=True),
        SagaWait("Late", **until),
    )
    assert states["Fork"]["Branches"][0]["States"]["Until refused"]["Type"] == "Fail"
    assert states["Late refused"]["Next"] == "Park Late"
    assert states["Park Late"]["Next"] == "ForwardParked"


# What it comes to.


def test_claims_outlive_waits() -> None:
    wait = SagaWait("Rest", duration=Duration.days(20))
    told = refusal(lambda: a_saga(new_stack(), steps=[a_step("A"), wait]))
    assert "claims_retention must be a Duration from" in told
    a_saga(new_stack(), steps=[a_step("A"), wait], claims_retention=Duration.days(40))


def test_branches_take_as_long_as_the_longest_and_a_choice_likewise() -> None:
    waits = [SagaWait(f"Rest{at}", duration=Duration.days(10)) for at in range(3)]
    beside = SagaParallel([[wait] for wait in waits[:2]], name="Fork")
    a_saga(new_stack(), steps=[a_step("A"), beside])
    a_saga(
        new_stack(),
        steps=[a_step("A"), SagaChoice("Odd", when=[(IS.is_present("$.a"), waits[:1])], otherwise=waits[1:2])],
    )
    with pytest.raises(ValueError, match="claims_retention"):
        a_saga(new_stack(), steps=[a_step("A"), *waits])


def room(*steps: Any) -> int:
    stack = new_stack()
    a_saga(stack, steps=[a_step("First"), *steps])
    told = the(stack, "Lambda::Function", "FirstAction")["Environment"]["Variables"]
    return int(told["MAX_RESULT_BYTES"])


def test_every_branch_ends_with_all_results_that_it_knows() -> None:
    together = contract.MAX_STATE_BYTES - contract.RESERVED_BYTES
    both = {"action": a_step_handler("reserve"), "compensation": a_step_handler("release")}
    beside = SagaParallel([a_step(f"Step{at}", **both) for at in range(10)])
    assert room(beside) == together // (10 * 2 + 1)
    choice = SagaChoice("Odd", when=[(IS.is_present("$.a"), [beside])], otherwise=[a_step("Other")])
    assert room(choice) == together // (10 * 2 + 1)


def test_a_step_in_a_branch_is_told_how_many_results_others_may_have() -> None:
    choice = SagaChoice("Odd", when=[(IS.is_present("$.a"), [a_step("C"), a_step("D")])], otherwise=[a_step("E")])
    inner = SagaParallel([a_step("F"), a_step("G")], name="Inner")
    states = states_of(a_step("First"), SagaParallel([a_step("A"), [a_step("B"), choice], [inner]], name="Fork"))
    branches = states["Fork"]["Branches"]
    told = {
        name: states["Parameters"].get("beside")
        for branch in branches[:2]
        for name, states in branch["States"].items()
        if "Parameters" in states
    }
    assert told == {"A": 5, "B": 3, "C": 3, "D": 3, "E": 3}
    inside = branches[2]["States"]["Inner"]["Branches"]
    assert inside[0]["States"]["F"]["Parameters"]["beside"] == 4 + 1
    assert "beside" not in states["First"]["Parameters"]


def test_the_history_counts_every_branch_and_the_longest_way() -> None:
    both = {"action": a_step_handler("reserve"), "compensation": a_step_handler("release")}
    many = [a_step(f"Step{at}", **both) for at in range(140)]
    told = refusal(lambda: a_saga(new_stack(), steps=[SagaParallel([many[:70], many[70:]])]))
    assert "steps must need at most 25,000 events of history" in told
    choice = SagaChoice("Odd", when=[(IS.is_present("$.a"), many[:70])], otherwise=many[70:])
    a_saga(new_stack(), steps=[choice], claims_retention=Duration.days(60))


def test_the_machine_may_call_what_is_in_branches_and_choices() -> None:
    stack = new_stack()
    choice = SagaChoice("Big", when=[(IS.is_present("$.big"), [a_step("B")])])
    saga = a_saga(stack, steps=[SagaParallel([a_step("A"), [choice]], name="Fork"), a_step("C")])
    policy = json.dumps(the(stack, "IAM::Policy", "StateMachineRole")["PolicyDocument"])
    assert len(saga.functions) == 6
    assert all(f"Checkout{step}{kind}" in policy for step in "ABC" for kind in ("Action", "Compensation"))
    assert saga.function_for("B") is not saga.function_for("A")


def test_the_picture_of_branches_and_choices() -> None:
    choice = SagaChoice("Big", when=[(IS.number_greater_than("$.amount", 5), [forward("C")])])
    fork = SagaParallel([SagaStep("A", a_step_handler(), nothing_to_undo=True), a_step("B", pivot=False)], name="Fork")
    saga = a_saga(new_stack(), steps=[fork, a_step("P", pivot=True), choice])
    drawn = saga.diagram().splitlines()
    at = drawn.index("    state Fork {")
    assert drawn[at : at + 7] == [
        "    state Fork {",
        "        [*] --> A",
        "        A --> [*]",
        "        --",
        "        [*] --> B",
        "        B --> [*]",
        "    }",
    ]
    assert "    Fork --> Undo_Fork: fails" in drawn
    assert "    Big --> C: $.amount NumericGreaterThan 5" in drawn
    assert "    Undone --> CompensationParked: parked" in drawn


# What synth refuses.


def when(*pairs: Any, **more: Any) -> list[Any]:
    return [a_step("First"), SagaChoice("Big", when=list(pairs), **more)]


def fork(*branches: Any, **more: Any) -> list[Any]:
    return [SagaParallel(list(branches), **{"name": "Fork", **more})]


YES = IS.is_present("$.big")

WRONG: dict[str, tuple[Callable[[], list[Any]], str]] = {
    "one branch": (lambda: fork(a_step("A")), "steps[0] branches must be from 2 to 10, got 1"),
    "eleven branches": (lambda: fork(*(a_step(f"S{at}") for at in range(11))), "must be from 2 to 10, got 11"),
    "no list of branches": (lambda: [SagaParallel(a_step("A"))], "steps[0] branches must be a list"),  # pyright: ignore[reportArgumentType]
    "an empty branch": (
        lambda: fork(a_step("A"), []),
        "steps[0] branches[1] must hold a SagaStep or more, got none: leave the branch out",
    ),
    "a branch of something else": (
        lambda: fork(a_step("A"), ["B"]),
        "steps[0] branches[1][0] must be a SagaStep, got 'B'",
    ),
    "a pivot in a branch": (
        lambda: fork(a_step("A"), a_step("B", pivot=True)),
        "'B' pivot must be left out inside of branches and choices, got True",
    ),
    "a pivot in a choice": (lambda: when((YES, [a_step("B", pivot=True)])), "'B' pivot must be left out inside"),
    "a name twice, in a branch": (
        lambda: [a_step("A"), *fork(a_step("A"), a_step("B"))],
        "steps must have names of their own, got 'A' 2 times",
    ),
    "a name twice, of branches": (
        lambda: [*fork(a_step("A"), a_step("B")), a_step("Fork")],
        "steps must have names of their own, got 'Fork' 2 times",
    ),
    "a name of ours": (lambda: fork(a_step("A"), a_step("B"), name="Undone"), "rename the step"),
    "a name that is none": (lambda: fork(a_step("A"), a_step("B"), name="a b"), "steps[0] name must be a letter"),
    "a long name made of a long one": (
        lambda: [SagaParallel([a_step("A" * 60), a_step("B")])],
        "steps[0] name must be given, got None",
    ),
    "branches of branches without a name": (
        lambda: [SagaParallel([[SagaParallel([a_step("A"), a_step("B")])], a_step("C")])],
        "steps[0] name must be given, got None",
    ),
    "no compensation in a branch": (
        lambda: fork(a_step("A", compensation=None), a_step("B")),
        "'A' compensation must be given up to the pivot",
    ),
    "a compensation in a branch behind the pivot": (
        lambda: [a_step("P", pivot=True), *fork(a_step("A"), forward("B"))],
        "'A' compensation must be left out behind the pivot",
    ),
    "no condition": (lambda: when(), "'Big' when must hold a condition or more, got none"),
    "a condition in words": (
        lambda: when(("$.amount > 5", [a_step("B")])),
        "'Big' when[0] must be a condition of aws_stepfunctions, got '$.amount > 5'",
    ),
    "a condition alone": (lambda: when(YES), "'Big' when[0] must be a condition and steps"),
    "a choice of nothing": (lambda: when((YES, [])), "'Big' must hold a SagaStep or more, got none: leave the choice"),
    "a condition on what comes later": (
        lambda: [*when((IS.is_present("$.saga.results.Late.a"), [a_step("B")])), a_step("Late")],
        "'Big' when[0] must look at the input, or at results of steps that are done by then, got '$.saga.results.Late",
    ),
    "a condition that looks for results at the top": (
        lambda: [a_step("A"), *when((IS.is_present("$.results.A.amount"), [a_step("B")]))],
        "'Big' when[0] must look for results of steps where they are, got '$.results.A.amount': write "
        "'$.saga.results.A.amount': at the top is the input",
    ),
    "a pair without its list": (
        lambda: [a_step("A"), SagaChoice("Big", when=(IS.is_present("$.a"), [a_step("B")]))],  # pyright: ignore
        "'Big' when must be a list of pairs, each a condition and steps, got a condition first: a choice has several",
    ),
    "a condition on what is ours": (
        lambda: when((IS.is_present("$.saga.error.Error"), [a_step("B")])),
        "'Big' when[0] must look at the input",
    ),
    "a condition on the context": (
        lambda: when((IS.is_present("$$.Execution.Input.a"), [a_step("B")])),
        "'Big' when[0] must look at the input",
    ),
    "a condition on many places": (
        lambda: when((IS.is_present("$.lines[*].a"), [a_step("B")])),
        "'Big' when[0] must look at the input",
    ),
    "a condition in another language": (
        lambda: when((IS.jsonata("{% $states.input.a > 1 %}"), [a_step("B")])),
        "'Big' when[0] must look at the input",
    ),
    "a condition on a path to what comes later": (
        lambda: when((IS.string_equals_json_path("$.a", "$.saga.results.B.a"), [a_step("B")])),
        "'Big' when[0] must look at the input",
    ),
    "a condition, in a branch, on a step of the branch": (
        lambda: fork(
            [a_step("A"), SagaChoice("Big", when=[(IS.is_present("$.saga.results.A.a"), [a_step("B")])])], a_step("C")
        ),
        "in branches, of steps before the branches",
    ),
    "a wait for nothing": (
        lambda: [a_step("A"), SagaWait("Rest")],
        "'Rest' must have a duration, or until, got neither",
    ),
    "a wait for two": (
        lambda: [a_step("A"), SagaWait("Rest", duration=Duration.days(1), until="$.at")],
        "'Rest' must have a duration, or until, got both",
    ),
    "a wait of no time": (
        lambda: [a_step("A"), SagaWait("Rest", duration=Duration.seconds(0))],
        "'Rest' duration must be a Duration from 1 to 31,536,000 seconds, got 0 seconds",
    ),
    "a wait until nobody knows when": (
        lambda: [a_step("A"), SagaWait("Rest", until="$.at")],
        "'Rest' longest must be a Duration from 1 to 31,536,000 seconds, got None: say how long it is at most",
    ),
    "a wait as long as it is": (
        lambda: [a_step("A"), SagaWait("Rest", duration=Duration.days(1), longest=Duration.days(1))],
        "'Rest' longest must be left out beside a duration",
    ),
    "a wait that nobody knows": (
        lambda: [a_step("A"), SagaWait("Rest", duration=seconds_later())],
        "'Rest' duration must be known at synth, got a token",
    ),
    "a wait until a result to come": (
        lambda: [SagaWait("Rest", until="$.saga.results.A.at", longest=Duration.days(1)), a_step("A")],
        "'Rest' until must look at the input, or at results of steps that are done by then",
    ),
    "nothing but waiting": (
        lambda: [SagaWait("Rest", duration=Duration.days(1))],
        "steps must hold a SagaStep or more, got none",
    ),
}


def seconds_later() -> Duration:
    return Duration.seconds(CfnParameter(new_stack(), "Seconds", type="Number").value_as_number)


@pytest.mark.parametrize("wrong", WRONG)
def test_synth_refuses(wrong: str) -> None:
    steps, message = WRONG[wrong]
    told = refusal(lambda: a_saga(new_stack(), steps=steps()))
    assert message in told
    assert told.startswith("Shop/Checkout: ")


def test_an_input_may_have_results_of_its_own() -> None:
    choice = SagaChoice("Big", when=[(IS.is_present("$.results.total"), [a_step("C")])])
    a_saga(new_stack(), steps=[a_step("A"), choice])


def test_a_condition_may_look_at_results_of_branches_that_are_done() -> None:
    choice = SagaChoice("Big", when=[(IS.is_present("$.saga.results.B.a"), [a_step("C")])])
    a_saga(new_stack(), steps=[*fork(a_step("A"), a_step("B")), choice])
    inside = SagaChoice("Big", when=[(IS.is_present("$.saga.results.A.a"), [a_step("C")])])
    a_saga(new_stack(), steps=[a_step("A"), *fork([inside], a_step("B"))])


def unclaimed(stack: Stack, name: str = "Book") -> SagaStep:
    function = a_saga(stack, "Other", steps=[a_step("A")]).functions[0]
    return SagaStep(name, function, nothing_to_undo=True)


def looking(name: str) -> SagaChoice:
    return SagaChoice("How", when=[(IS.is_present(f"$.saga.results.{name}.id"), [forward("Insured")])])


@pytest.mark.parametrize(
    "steps",
    [
        lambda book: [book, a_step("P", pivot=True), looking("Book")],
        lambda book: [a_step("P", pivot=True), replace(book, nothing_to_undo=False), looking("Book")],
        lambda book: [
            book,
            a_step("P", pivot=True),
            SagaParallel([[SagaChoice("Any", when=[(YES, [looking("Book")])])], forward("Ship")], name="Fork"),
        ],
    ],
)
def test_behind_the_pivot_no_condition_looks_at_what_a_recovery_does_not_know(steps: Any) -> None:
    stack = new_stack()
    told = refusal(lambda: a_saga(stack, steps=steps(unclaimed(stack))))
    assert (
        "'How' when[0] must look at the input, at results of Handlers or at approvals behind P, got "
        "'$.saga.results.Book.id': a recovery does not know what others have returned"
    ) in told


def test_nor_does_a_wait() -> None:
    stack = new_stack()
    wait = SagaWait("Rest", until="$.saga.results.Book.at", longest=Duration.days(1))
    told = refusal(lambda: a_saga(stack, steps=[unclaimed(stack), a_step("P", pivot=True), wait]))
    assert "'Rest' until must look at the input, at results of Handlers" in told


def test_conditions_look_at_all_results_before_the_pivot_and_at_those_of_handlers_behind_it() -> None:
    stack = new_stack()
    choice = SagaChoice("Early", when=[(IS.is_present("$.saga.results.Book.id"), [a_step("B")])])
    pivot = [a_step("P", pivot=True), looking("Manager"), forward("Ship")]
    late = SagaChoice("Late", when=[(IS.is_present("$.saga.results.Ship.id"), [forward("C")])])
    manager = SagaApproval("Manager", notify=a_step_handler("ship"), timeout=Duration.days(1))
    a_saga(stack, steps=[unclaimed(stack), choice, manager, *pivot, late])


def test_names_say_what_they_are() -> None:
    assert repr(SagaParallel([])) == "SagaParallel(...)"
    assert repr(SagaChoice("Big", when=[])) == "SagaChoice(Big)"
    assert repr(SagaWait("Rest")) == "SagaWait(Rest)"
