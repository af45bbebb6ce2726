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
KEY = sfn.JsonPath.format("{}#Tell", sfn.JsonPath.execution_name)


def native(stack: Stack, id: str, **more: Any) -> tasks.SqsSendMessage:
    body = {"do": id, "order": sfn.JsonPath.string_at("$.order_id"), "key": KEY, **more}
    selected = {"id": sfn.JsonPath.string_at("$.MessageId")}
    queue = sqs.Queue(stack, f"{id}Queue")
    return tasks.SqsSendMessage(
        stack, id, queue=queue, message_body=sfn.TaskInput.from_object(body), result_selector=selected
    )


def run(steps: Any, failing: str = "") -> tuple[Ended, list[Any]]:
    """The end, and the bodies that were sent. Every function answers, but that of one step."""
    stack = steps.stack
    SagaStateMachine(stack, "Checkout", steps=steps.made)
    definition = definition_in(Template.from_stack(stack).to_json())
    schedule, sent = Schedule(random.Random(1), 0.0), list[Any]()

    def send(parameters: Any, answered: Answered) -> None:
        sent.append(parameters["MessageBody"])
        schedule.after(0.1, lambda: answered({"MessageId": f"m-{len(sent)}", "More": "x" * 100}))

    def function(event: Any, answered: Answered) -> None:
        fails = event["kind"] == "action" and event["step"] == failing
        answer = TaskFailure("PermanentError", "{}") if fails else {"done": event["step"]}
        schedule.after(0.1, lambda: answered(answer))

    class Services(dict[str, Any]):
        def __missing__(self, _: str) -> Any:
            return function

    execution = Execution(
        Machine(definition), "order-7", {"order_id": "7"}, Services({SEND: send}), schedule, random.Random(1), _ignore
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
    assert [body["do"] for body in sent] == ["Told", "Recalled"]
    assert {(body["order"], body["key"]) for body in sent} == {("7", "order-7#Tell")}
