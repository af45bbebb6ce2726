"""The definition that the construct writes does the same on the emulator as on our interpreter, and so as on moto's."""

import json
import secrets
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from serverless_patterns.testing import EmbeddedCloud
from tests.interpreters import scripted
from tests.interpreters.ours import told_by_ours
from tests.interpreters.saga_cases import CASES, NAME, Case, Told, told
from tests.interpreters.saga_tree_cases import TREE_CASES, TreeCase, without_order
from tests.live.honesty.conftest import EVERYTHING, policy, zipped
from tests.live.honesty.raw_state_machine import Execution, scale_waiting

GIVEN_UP_SECONDS = scripted.HANGS_SECONDS - 2


@pytest.fixture(scope="module")
def run(cloud: EmbeddedCloud) -> Generator[Callable[[Case], Told]]:
    """One function and one role for all sagas; a machine and a table each. They run beside each other."""
    name = f"saga-trace-{secrets.token_hex(3)}"
    functions, states, dynamodb = (cloud.client(service) for service in ("lambda", "stepfunctions", "dynamodb"))
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    cloud.client("iam").put_role_policy(RoleName=name, PolicyName="given", PolicyDocument=policy(EVERYTHING))
    code = {"ZipFile": zipped({"scripted.py": Path(scripted.__file__).read_text(encoding="utf-8")})}
    settings = {"Runtime": "python3.13", "Handler": "scripted.handler", "Timeout": 30, "Role": role, "Code": code}

    def begin(number: int, case: Case) -> tuple[Execution, str]:
        table = f"{name}-{number}"
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "claim", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "claim", "AttributeType": "S"}],
        )
        leftovers.callback(dynamodb.delete_table, TableName=table)
        made = {"name": table, "definition": definition(case, function, table), "roleArn": role}
        arn = states.create_state_machine(**made)["stateMachineArn"]
        leftovers.callback(states.delete_state_machine, stateMachineArn=arn)
        begun = states.start_execution(stateMachineArn=arn, name=NAME, input=json.dumps(case.document))
        return Execution(states, begun["executionArn"]), table

    def tell(case: Case) -> Told:
        if case.name not in executions:  # not all at once: some of the others look at the clock
            executions[case.name] = begin(len(executions), case)
        execution, table = executions[case.name]
        end = execution.ended(60)
        output = json.loads(end["output"]) if end["status"] == "SUCCEEDED" else None
        items = dynamodb.scan(TableName=table)["Items"]
        return told(execution.history(), end["status"], output, end.get("error"), items)

    with ExitStack() as leftovers:
        function = functions.create_function(FunctionName=name, **settings)["FunctionArn"]
        leftovers.callback(functions.delete_function, FunctionName=name)
        scale_waiting(cloud, 0)
        leftovers.callback(scale_waiting, cloud, 1)
        executions = {case.name: begin(number, case) for number, case in enumerate(CASES)}
        yield tell


def definition(case: Case, function: str, table: str) -> str:
    written = case.definition(function, table)
    for name, state in written["States"].items():
        if "hangs" in case.script.get(f"action {name}", ()):
            state["TimeoutSeconds"] = GIVEN_UP_SECONDS
    return json.dumps(written)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_saga_leaves_the_same_trace(run: Callable[[Case], Told], case: Case) -> None:
    assert run(case) == told_by_ours(case)


@pytest.mark.parametrize("case", TREE_CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_saga_with_branches_leaves_the_same_trace(run: Callable[[Case], Told], case: TreeCase) -> None:
    assert without_order(run(case)) == without_order(told_by_ours(case))
