"""What a state machine's role may call: the emulator calls with its own rights."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

HOOKS = {
    "ministack.services.stepfunctions": (
        "_call_lambda",
        "_ExecutionError",
        "_executions",
        "_invoke_dynamodb",
        "_invoke_events_put_events",
        "_invoke_nested_start_execution",
        "_invoke_nested_start_execution_sync",
        "_invoke_sns_publish",
        "_invoke_sqs_send_message",
        "_run_execution",
        "_SERVICE_DISPATCH",
        "_state_machines",
    ),
}
ROLE: ContextVar[str | None] = ContextVar("ROLE", default=None)
"""ARN, of the execution that this thread runs."""


def authorize_tasks(states: Any, may: Callable[[str, str, str], bool]) -> None:
    """Fail the task that its machine's role does not allow: functions, items, messages, events, executions.

    Not calls by `aws-sdk`: their resources have a place of their own in each request.
    """
    run, call, item = states._run_execution, states._call_lambda, states._invoke_dynamodb

    def run_as_role(arn: str) -> None:
        machine = states._state_machines.get(states._executions[arn]["stateMachineArn"], {})
        before = ROLE.set(machine.get("roleArn"))
        try:
            run(arn)
        finally:
            ROLE.reset(before)

    def check(error: str, action: str, resource: str) -> None:
        role = ROLE.get()
        if role and not may(role, action, resource):
            cause = f"User: {role} is not authorized to perform: {action} on resource: {resource}"
            raise states._ExecutionError(error, cause)

    def call_allowed(function: str, event: Any) -> Any:
        arn = function if function.startswith("arn:") else f"function:{function}"
        check("Lambda.AWSLambdaException", "lambda:InvokeFunction", arn)
        return call(function, event)

    def item_allowed(operation: str, given: dict[str, Any]) -> Any:
        table: str = given["TableName"]
        arn = table if table.startswith("arn:") else f"table/{table}"
        check("DynamoDB.AmazonDynamoDBException", f"dynamodb:{operation[0].upper()}{operation[1:]}", arn)
        return item(operation, given)

    def message_allowed(as_shipped: Any, error: str, action: str, field: str) -> Any:
        def send(resource: str, given: dict[str, Any]) -> Any:
            check(error, action, given[field].rpartition("/")[2])  # a queue's URL ends with its name
            return as_shipped(resource, given)

        return send

    states._run_execution, states._call_lambda, states._invoke_dynamodb = run_as_role, call_allowed, item_allowed
    queue = message_allowed(states._invoke_sqs_send_message, "SQS.AmazonSQSException", "sqs:SendMessage", "QueueUrl")
    topic = message_allowed(states._invoke_sns_publish, "SNS.AmazonSNSException", "sns:Publish", "TopicArn")
    states._SERVICE_DISPATCH |= {"arn:aws:states:::sqs:sendMessage": queue, "arn:aws:states:::sns:publish": topic}
    _authorize_events(states, check)
    _authorize_executions(states, check)


def _authorize_events(states: Any, check: Callable[[str, str, str], None]) -> None:
    put = states._invoke_events_put_events

    def put_allowed(resource: str, given: dict[str, Any]) -> Any:
        for entry in given["Entries"]:
            bus: str = entry.get("EventBusName", "default")
            arn = bus if bus.startswith("arn:") else f"event-bus/{bus}"
            check("EventBridge.AmazonEventBridgeException", "events:PutEvents", arn)
        return put(resource, given)

    states._SERVICE_DISPATCH["arn:aws:states:::events:putEvents"] = put_allowed


def _authorize_executions(states: Any, check: Callable[[str, str, str], None]) -> None:
    for name in ("_invoke_nested_start_execution", "_invoke_nested_start_execution_sync"):
        start = getattr(states, name)

        def start_allowed(resource: str, given: dict[str, Any], start: Any = start) -> Any:
            check("StepFunctions.AWSStepFunctionsException", "states:StartExecution", given["StateMachineArn"])
            return start(resource, given)

        setattr(states, name, start_allowed)
