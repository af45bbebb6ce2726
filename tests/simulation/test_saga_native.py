"""Native calls in a definition, wherever they are: what they are called with, and where their results go."""

import random
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk.assertions import Template

from serverless_patterns import SagaParallel, SagaStateMachine, SagaStep
from tests.template.sagas import a_step

from .asl import Answered, Ended, Execution, Machine, TaskFailure
from .saga_template import definition_in
from .virtual_time import Schedule

SEND = "arn:aws:states:::sqs:sendMessage"
ORDER = {"order_id": "7"}
KEY = sfn.JsonPath.format("{}#Tell", sfn.JsonPath.execution_name)


def native(stack: Stack, id: str, **more: Any) -> tasks.SqsSendMessage:
    body = {"do": id, "order": sfn.JsonPath.string_at("$.order_id"), "key": KEY, **more}
    selected = {"id": sfn.JsonPath.string_at("$.MessageId")}
    queue = sqs.Queue(stack, f"{id}Queue")
    return tasks.SqsSendMessage(
        stack, id, queue=queue, message_body=sfn.TaskInput.from_object(body), result_selector=selected
    )


def run(steps: Any, failing: str = "", given: Any = ORDER, recalled: Any = None) -> tuple[Ended, list[Any]]:
    """The end, and what was sent or undone. Every function answers, but one step's; in a recovery the ledger too."""
    stack = steps.stack
    SagaStateMachine(stack, "Checkout", steps=steps.made)
    definition = definition_in(Template.from_stack(stack).to_json(), recovery=recalled is not None)
    schedule, sent = Schedule(random.Random(1), 0.0), list[Any]()

    def send(parameters: Any, answered: Answered) -> None:
        sent.append(parameters["MessageBody"])
        schedule.after(0.1, lambda: answered({"MessageId": f"m-{len(sent)}", "More": "x" * 100}))

    def function(event: Any, answered: Answered) -> None:
        if event.get("task") == "recall":
            schedule.after(0.1, lambda: answered(recalled))
            return
        if "kind" not in event:  # what is parked, or settled
            schedule.after(0.1, lambda: answered({}))
            return
        if event["kind"] == "compensation":
            sent.append(f"Undo {event['step']}")
        fails = event["kind"] == "action" and event["step"] == failing
        answer = TaskFailure("PermanentError", "{}") if fails else {"done": event["step"]}
        schedule.after(0.1, lambda: answered(answer))

    class Services(dict[str, Any]):
        def __missing__(self, _: str) -> Any:
            return function

    execution = Execution(
        Machine(definition), "order-7", given, Services({SEND: send}), schedule, random.Random(1), _ignore
    )
    execution.start()
    schedule.run()
    assert execution.ended is not None
    return execution.ended, sent


def _ignore(*_: Any) -> None: ...


class Steps:
    def __init__(self, where: str) -> None:
        self.stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
        tell = SagaStep("Tell", native(self.stack, "Told"), compensation=native(self.stack, "Recalled"))
        last = a_step("Ship")
        self.made = {
            "first": [tell, last],
            "behind": [a_step("Reserve"), tell, last],
            "beside": [a_step("Reserve"), SagaParallel([[tell], [a_step("Ask")]], name="Both"), last],
            "beside first": [SagaParallel([tell, [a_step("Ask")]], name="Both"), last],
        }[where]


WHERE = pytest.mark.parametrize("where", ["first", "behind", "beside", "beside first"])


@WHERE
def test_what_it_selects_is_its_result(where: str) -> None:
    ended, sent = run(Steps(where))
    assert ended.output["results"]["Tell"] == {"id": "m-1"}
    assert sent == [{"do": "Told", "order": "7", "key": "order-7#Tell"}]


@WHERE
def test_its_compensation_finds_the_same_document(where: str) -> None:
    ended, sent = run(Steps(where), failing="Ship")
    assert ended.output["status"] == "COMPENSATED"
    bodies = [body for body in sent if isinstance(body, dict)]
    assert [body["do"] for body in bodies] == ["Told", "Recalled"]
    assert {(body["order"], body["key"]) for body in bodies} == {("7", "order-7#Tell")}


# Where there is nothing at a path: Step Functions ends such an execution, and no state could catch that.


@WHERE
def test_an_action_that_reads_where_there_is_nothing_has_had_no_effect(where: str) -> None:
    ended, sent = run(Steps(where), given={})
    if "beside" in where:  # where it goes back over all of a branch, begun or not, and its compensation reads the same
        assert ended.error == "COMPENSATION_PARKED"
    else:
        assert ended.output["status"] == "COMPENSATED"
        assert "there is nothing at one of the paths" in ended.output["error"]["Cause"]
    assert [each for each in sent if isinstance(each, dict)] == []
    assert ("Undo Reserve" in sent) == (where in ("behind", "beside"))


class ByResult:
    """Undone by what its action has answered."""

    def __init__(self, *, beside: bool = False) -> None:
        self.stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
        by_id = native(self.stack, "Recalled", of=sfn.JsonPath.string_at("$.saga.results.Tell.id"))
        tell = SagaStep("Tell", native(self.stack, "Told"), compensation=by_id)
        node = SagaParallel([[tell], [a_step("Ask")]], name="Both") if beside else tell
        self.made = [a_step("Reserve"), node, a_step("Ship")]


@pytest.mark.parametrize("beside", [False, True])
def test_a_compensation_that_reads_where_there_is_nothing_is_parked_and_the_others_run(*, beside: bool) -> None:
    ended, sent = run(ByResult(beside=beside), given={})  # so that its action has no result
    told = [each for each in sent if isinstance(each, str)]
    if beside:
        assert (ended.error, told) == ("COMPENSATION_PARKED", ["Undo Ask", "Undo Reserve"])
    else:
        assert (ended.output["status"], told) == ("COMPENSATED", ["Undo Reserve"])


@pytest.mark.parametrize("beside", [False, True])
def test_nor_does_a_recovery_end_there(*, beside: bool) -> None:
    saga = {"execution": "order-7", "error": {"Error": "ABORTED", "Cause": ""}, "results": {"Reserve": {}}}
    ended, sent = run(
        ByResult(beside=beside), given={"saga": {"execution": "order-7"}}, recalled={**ORDER, "saga": saga}
    )
    assert ended.error == "COMPENSATION_PARKED"
    assert (sent[-1], [each for each in sent if isinstance(each, dict)]) == ("Undo Reserve", [])


class BehindThePivot:
    def __init__(self) -> None:
        self.stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
        self.made = [a_step("Charge", pivot=True), SagaStep("Tell", native(self.stack, "Told"))]


@pytest.mark.parametrize("recovered", [False, True])
def test_behind_the_pivot_it_is_parked(*, recovered: bool) -> None:
    told = {"execution": "order-7", "error": {}, "results": {"Charge": {}}, "forward": True}
    given = {"saga": {"execution": "order-7"}} if recovered else {}
    ended, sent = run(BehindThePivot(), given=given, recalled={"saga": told} if recovered else None)
    assert (ended.error, sent) == ("FORWARD_PARKED", [])
