"""`SagaStateMachine` as deployed: the synthesised template, the shipped layer, roles enforced, faults on the way."""

from collections.abc import Generator, Mapping

import pytest

from serverless_patterns.testing import EmbeddedCloud, Fault, wait_until
from tests.interpreters.ours import told_by_ours
from tests.interpreters.saga_cases import CASES, Case
from tests.live.honesty.raw_state_machine import scale_waiting
from tests.live.saga_stack import STEPS, LiveSaga, SagaStack

SDK_ATTEMPTS = 3
DONE, UNDONE = dict.fromkeys(STEPS, 1), dict.fromkeys(STEPS, 0)
LEFT: Mapping[str, Mapping[str, int]] = {
    "all is well": DONE,
    "the first is declined": UNDONE,
    "the second fails": UNDONE,
    "the second is refused": UNDONE,
    "a compensation fails once": UNDONE,
    "all are parked": {**UNDONE, "ReserveStock": 1, "ChargeCard": 1},
    "after the pivot it fails": {**DONE, "Ship": 0},
}
"""What is left of a saga, by case; all of them are those of the interpreters."""


@pytest.fixture(scope="module")
def saga(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveSaga]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("saga") / "cdk.out")
    stack = SagaStack(app, "Sagas")
    with embedded_cloud.deploy(app) as deployment:
        yield LiveSaga(embedded_cloud, deployment, stack)


def name_of(case: Case) -> str:
    return case.name.replace(" ", "-")


@pytest.fixture
def at_once(saga: LiveSaga) -> Generator[None]:
    """No pause before a retry."""
    scale_waiting(saga.cloud, 0)
    yield
    scale_waiting(saga.cloud, 1)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("case", [case for case in CASES if case.name in LEFT], ids=name_of)
def test_a_deployed_saga_leaves_the_trace_that_its_definition_says_and_nothing_half_done(
    saga: LiveSaga, case: Case
) -> None:
    execution, ours = saga.start(name_of(case), case.script), told_by_ours(case)
    assert saga.trace(execution) == ours.trace
    assert saga.net(name_of(case)) == LEFT[case.name]
    assert saga.parked(name_of(case)) == [item["step"] for item in ours.parked]


def test_a_step_whose_answer_is_lost_has_its_effect_once(saga: LiveSaga, fresh_name: str) -> None:
    with saga.cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS)):
        end = saga.start(fresh_name, {}).output()
    assert (end["status"], end["results"]["ReserveStock"]) == ("SUCCEEDED", {"by": "reserve"})
    assert saga.net(fresh_name) == DONE


def test_a_step_whose_function_is_killed_is_done_again_and_what_it_left_behind_is_met(
    saga: LiveSaga, fresh_name: str
) -> None:
    execution = saga.start(fresh_name, {"action ChargeCard": ["takes 1.5", "done"]})
    wait_until(lambda: saga.net(fresh_name)["ChargeCard"] == 1, 30, "the charge")
    assert saga.cloud.kill_function(saga.function_of("ChargeCard"))
    assert execution.output()["status"] == "SUCCEEDED"
    charge = next(step for step in saga.trace(execution) if step.name == "ChargeCard")
    assert charge.outcomes == ("Runtime.ExitError", "RunningElsewhere", "succeeded")
    assert saga.net(fresh_name) == DONE
