"""A saga behind an API as deployed: started by HTTP, looked at by HTTP, roles enforced."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from serverless_patterns.testing import Deployment, EmbeddedCloud, Fault, wait_until
from tests.live.checkout_doors_stack import CheckoutDoorsStack
from tests.live.rest_calls import Answer, Api


class LiveDoors:
    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: CheckoutDoorsStack) -> None:
        self.cloud = cloud
        self.named = deployment.physical_id
        self.stack = stack
        self.api = Api(deployment.url(stack.api))

    def start(self, key: str, caller: str = "ann", **body: Any) -> Answer:
        headers = {"Authorization": f"Bearer {caller}", "Idempotency-Key": key}
        return self.api.call("POST /checkout", {"order_id": "7", **body}, headers)

    def look(self, execution: str, caller: str = "ann", path: str = "checkout") -> Answer:
        return self.api.call(f"GET /{path}/{execution}", headers={"Authorization": f"Bearer {caller}"})

    def ended(self, execution: str) -> Any:
        wait_until(lambda: self.look(execution).json["status"] != "RUNNING", 30, "the saga to end")
        return self.look(execution).json

    def executions(self) -> list[str]:
        client = self.cloud.client("stepfunctions")
        machine = self.named(self.stack.saga.state_machine)
        return [it["name"] for it in client.list_executions(stateMachineArn=machine)["executions"]]

    def ledger(self) -> list[str]:
        items = self.cloud.client("dynamodb").scan(TableName=self.named(self.stack.ledger))["Items"]
        return [item["id"]["S"] for item in items]

    def ask(self, key: str, path: str = "asking", amount: int = 5_000) -> str:
        headers = {"Authorization": "Bearer ann", "Idempotency-Key": key}
        return self.api.call(f"POST /{path}", {"order_id": "7", "amount": amount}, headers).json["execution"]

    def stop(self, execution: str) -> None:
        machine = self.named(self.stack.asking.state_machine).replace(":stateMachine:", ":execution:")
        self.cloud.client("stepfunctions").stop_execution(executionArn=f"{machine}:{execution}")

    def sweep(self) -> None:
        """The embedded cloud tells nobody of an execution's end."""
        guardian = self.named(self.stack.asking.guardian)
        told = self.cloud.client("lambda").invoke(FunctionName=guardian, Payload=b'{"task": "sweep"}')
        assert "FunctionError" not in told, told["Payload"].read()

    def results(self, execution: str) -> Any:
        machine = self.named(self.stack.asking.state_machine).replace(":stateMachine:", ":execution:")
        client = self.cloud.client("stepfunctions")
        output = client.describe_execution(executionArn=f"{machine}:{execution}")["output"]
        return json.loads(output)["results"]

    def approval(self, execution: str) -> str:
        """What the manager was sent."""
        client, id = self.cloud.client("dynamodb"), f"mail of {execution}"

        def mail() -> str | None:
            found = client.get_item(TableName=self.named(self.stack.ledger), Key={"id": {"S": id}}, ConsistentRead=True)
            return found["Item"]["approval"]["S"] if "Item" in found else None

        return wait_until(mail, 30, "the manager to be told")

    def decide(self, id: str, said: str = "approve", caller: str = "boss", path: str = "approvals") -> Answer:
        body = {"decision": said, "comment": "because"}
        return self.api.call(f"POST /{path}/{id}", body, {"Authorization": f"Bearer {caller}"})

    def ended_at(self, execution: str, path: str) -> Any:
        wait_until(lambda: self.look(execution, path=path).json["status"] != "RUNNING", 40, "the saga to end")
        return self.look(execution, path=path).json


@pytest.fixture(scope="module")
def doors(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveDoors]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("doors") / "cdk.out")
    stack = CheckoutDoorsStack(app, "CheckoutDoors")
    with embedded_cloud.deploy(app) as deployment:
        yield LiveDoors(embedded_cloud, deployment, stack)


@pytest.fixture
def key() -> str:
    return str(uuid4())


def test_a_saga_is_started_and_looked_at(doors: LiveDoors, key: str) -> None:
    answer = doors.start(key)
    assert answer.status == 202
    execution = answer.json["execution"]
    assert doors.ended(execution) == {"status": "SUCCEEDED", "results": {"Ship": {"parcel": "7"}}}
    assert f"Checkout#{execution}#Reserve" in doors.ledger()


def test_one_that_runs_says_so(doors: LiveDoors, key: str) -> None:
    execution = doors.start(key, seconds=3).json["execution"]
    assert doors.look(execution).json == {"status": "RUNNING"}
    assert doors.ended(execution)["status"] == "SUCCEEDED"


def test_the_same_key_starts_one_execution_also_when_it_has_ended(doors: LiveDoors, key: str) -> None:
    first = doors.start(key)
    answers = doors.api.at_once(
        4, "POST /checkout", {"order_id": "7"}, {"Authorization": "Bearer ann", "Idempotency-Key": key}
    )
    doors.ended(first.json["execution"])
    answers.append(doors.start(key))
    assert {(it.status, it.body) for it in answers} == {(202, first.body)}
    assert doors.executions().count(first.json["execution"]) == 1


def test_another_input_under_the_key_is_a_conflict(doors: LiveDoors, key: str) -> None:
    execution = doors.start(key).json["execution"]
    assert doors.start(key, order_id="8").problem == (409, "application/problem+json")
    doors.ended(execution)
    assert doors.start(key, order_id="8").status == 409


def test_a_start_whose_answer_step_functions_loses_is_found_again(doors: LiveDoors, key: str) -> None:
    with doors.cloud.faults.inject(Fault.lost_answer("stepfunctions", "StartExecution")) as fault:
        assert doors.start(key).status == 500
        fault.assert_fired()
    answer = doors.start(key)
    assert answer.status == 202
    assert doors.executions().count(answer.json["execution"]) == 1


def test_a_declared_refusal_is_named(doors: LiveDoors, key: str) -> None:
    execution = doors.start(key, sold_out=True).json["execution"]
    assert doors.ended(execution) == {"status": "COMPENSATED", "error": "SoldOut"}


def test_somebody_else_s_execution_is_not_there(doors: LiveDoors, key: str) -> None:
    execution = doors.start(key).json["execution"]
    stranger, unknown = doors.look(execution, "bob"), doors.look("0" * 64, "bob")
    assert stranger.problem == unknown.problem == (404, "application/problem+json")
    assert doors.look(execution, "bob", "all").status == 200
    assert doors.start(key, "bob").json["execution"] != execution


@pytest.mark.parametrize("name", ["saga", "caller"])
def test_nobody_says_who_he_is_by_the_body(doors: LiveDoors, key: str, name: str) -> None:
    headers = {"Authorization": "Bearer ann", "Idempotency-Key": key}
    assert doors.api.call("POST /checkout", {"order_id": "7", name: {"id": "root"}}, headers).status == 400


def test_one_that_is_stopped_is_aborted_until_its_recovery_has_undone_it(doors: LiveDoors, key: str) -> None:
    execution = doors.ask(key)
    doors.approval(execution)
    assert f"Asking#{execution}#Reserve" in doors.ledger()
    doors.stop(execution)
    recovered = {"RECOVERING", "COMPENSATED"}
    # The stack's own sweep, every five minutes, may come before ours.
    assert doors.look(execution, path="asking").json["status"] in {"ABORTED"} | recovered
    doors.sweep()
    assert doors.look(execution, path="asking").json["status"] in recovered
    wait_until(lambda: doors.look(execution, path="asking").json["status"] == "COMPENSATED", 30, "its recovery to end")
    assert f"Asking#{execution}#Reserve" not in doors.ledger()
    assert doors.look(execution, "bob", "asking").status == 404


# Approvals.


def test_a_saga_waits_for_the_manager_and_goes_on(doors: LiveDoors, key: str) -> None:
    execution = doors.ask(key)
    id = doors.approval(execution)
    assert doors.look(execution, path="asking").json == {"status": "RUNNING", "waiting_for": "Manager"}
    answer = doors.decide(id)
    assert answer.status == 200
    told = answer.json
    assert (told["decision"], told["by"]) == ("approve", {"id": "boss", "kind": "lambda"})
    assert doors.ended_at(execution, "asking") == {"status": "SUCCEEDED", "results": {"Manager": told}}
    assert doors.decide(id).json == told
    assert doors.decide(id, "reject").status == 410
    assert doors.decide(id, caller="clerk").status == 410


def test_a_rejected_saga_is_undone(doors: LiveDoors, key: str) -> None:
    execution = doors.ask(key)
    assert doors.decide(doors.approval(execution), "reject").status == 200
    assert doors.ended_at(execution, "asking") == {"status": "COMPENSATED", "error": "Rejected"}
    assert f"Asking#{execution}#Reserve" not in doors.ledger()


def test_a_small_amount_needs_nobody(doors: LiveDoors, key: str) -> None:
    assert doors.ended_at(doors.ask(key, amount=10), "asking") == {"status": "SUCCEEDED", "results": {}}


def test_without_a_decision_somebody_is_reminded_and_then_the_saga_goes_back(doors: LiveDoors, key: str) -> None:
    execution = doors.ask(key, "impatient")
    id = doors.approval(execution)
    assert doors.ended_at(execution, "impatient") == {"status": "COMPENSATED", "error": "NotDecided"}
    assert doors.approval(execution) != id, "the reminder has an id of its own"
    assert f"Impatient#{execution}#Reserve" not in doors.ledger()
    for each in (id, doors.approval(execution)):
        assert doors.decide(each, path="late").status == 410


def test_a_decision_whose_task_cannot_be_told_counts_all_the_same(doors: LiveDoors, key: str) -> None:
    execution = doors.ask(key, "impatient")
    id = doors.approval(execution)
    with doors.cloud.faults.inject(Fault.refused("stepfunctions", "SendTaskSuccess")) as fault:
        assert doors.decide(id, path="late").status == 500
        fault.assert_fired()
        assert doors.ended_at(execution, "impatient")["status"] == "SUCCEEDED"
    assert doors.decide(id, path="late").status == 200


@pytest.mark.parametrize("id", ["unknown", "0" * 96])
def test_an_id_that_nobody_was_sent_decides_nothing(doors: LiveDoors, id: str) -> None:
    assert doors.decide(id).problem == (404, "application/problem+json")


def test_an_approval_is_decided_by_its_own_route_alone(doors: LiveDoors, key: str) -> None:
    id = doors.approval(doors.ask(key))
    assert doors.decide(id, path="late").status == 404
    assert doors.decide(id).status == 200


def test_no_function_logs_a_token_or_an_id(doors: LiveDoors, key: str) -> None:
    execution = doors.ask(key)
    id = doors.approval(execution)
    doors.decide(id)
    doors.ended_at(execution, "asking")
    claims = doors.cloud.client("dynamodb").scan(TableName=doors.named(doors.stack.asking.claims))["Items"]
    (token,) = [it["token"]["S"] for it in claims if it.get("execution", {}).get("S") == execution]
    for function in (doors.stack.asking.notify_for("Manager"), doors.stack.api.function_for("POST /approvals/{id}")):
        text = "\n".join(doors.cloud.logs(doors.named(function)))
        assert text
        assert token not in text
        assert id not in text
        assert id[32:] not in text


def test_who_was_asked_before_a_deployment_decides_after_it(
    doors: LiveDoors, key: str, tmp_path: Path, embedded_cloud: EmbeddedCloud
) -> None:
    """The last test here: from now on another version is deployed. Its saga does not ask the auditor any more."""
    execution, audited = doors.ask(key), doors.ask(f"{key}-audited", amount=200_000)
    id, audit = doors.approval(execution), doors.approval(audited)
    app = embedded_cloud.app(tmp_path / "cdk.out")
    CheckoutDoorsStack(app, "CheckoutDoors", version=2)
    embedded_cloud.deploy(app)
    assert doors.look(audited, path="asking").json == {"status": "RUNNING", "waiting_for": "Auditor"}
    assert [doors.decide(id).status, doors.decide(audit, path="audits").status] == [200, 200]
    for each in (execution, audited):
        assert doors.ended_at(each, "asking")["status"] == "SUCCEEDED"
    later = doors.ask(f"{key}-later", amount=10)
    assert doors.ended_at(later, "asking")["status"] == "SUCCEEDED"
    assert set(doors.results(later)) == {"Reserve", "Ship", "Bill"}
    assert set(doors.results(execution)) == {"Reserve", "Manager", "Ship"}, "as it was when it began"
    assert set(doors.results(audited)) == {"Reserve", "Auditor", "Ship"}, "though the saga has no auditor any more"
