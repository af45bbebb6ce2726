"""`serverless-patterns saga`: tables, lines, questions and exit codes, over the shipped guardian."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner

from serverless_patterns.cli import _saga
from serverless_patterns.cli._commands import commands
from serverless_patterns_runtime.saga_recovery.contract import GUARDIAN_HANDLER
from tests.runtime.asked_function import AskedAccount, Run, documented, squeezed, typing
from tests.runtime.saga_recovery.account import RECOVERY, Account

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:Shop-Guardian"


class Cloud(AskedAccount):
    def __init__(self, account: Account) -> None:
        functions = {"Shop-Guardian": GUARDIAN_HANDLER, ARN: GUARDIAN_HANDLER, "charge": "card.charge"}
        outputs = {"Guardian": "Shop-Guardian", "Queue": "orders", "Machine": "arn:aws:states:x:1:stateMachine:y"}
        super().__init__(functions, outputs, account.ask)
        self.account = account


@pytest.fixture
def cloud() -> Cloud:
    account = Account()
    now = account.clock.now
    account.parks("order-7", started=now - 3_720)
    for step, undone in (("ReserveStock", True), ("ChargeCard", True)):
        account.claimed(step, undone=undone)
    account.claimed("ChargeCard", kind="compensation")
    account.parked("ReserveStock")
    account.dies("order-8", started=now - 60)
    return Cloud(account)


@pytest.fixture
def run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_saga.time, "time", lambda: cloud.account.clock.now)
    return typing(monkeypatch, cloud, "saga", "_saga_commands")


LISTED = """\
Execution   Outcome              Started     Latest recovery   Error
────────────────────────────────────────────────────────────────────────────────────
order-8     ABORTED              1 min       -                 -
order-7     COMPENSATION_PARKED  1 h 2 min   -                 -
"""
SHOWN = """\
Step           Status     Error
─────────────────────────────────────────────────
ReserveStock   PARKED     BankIsDown: no answer
ChargeCard     UNDONE     -
Ship           NOT_BEGUN  -
"""


@pytest.mark.parametrize("target", ["Shop-Guardian", ARN, "Shop.Guardian"])
def test_list_shows_what_needs_a_person(run: Run, target: str) -> None:
    result = run("list", target)
    assert squeezed(result.stdout) == squeezed(f"{LISTED}\n2 executions.\n")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_list_of_nothing(run: Run, cloud: Cloud) -> None:
    cloud.account.stepfunctions.executions.clear()
    result = run("list", "Shop-Guardian")
    assert (result.stdout, result.exit_code) == ("Nothing needs a person.\n", 0)


def test_a_list_that_was_cut_is_no_success(run: Run, cloud: Cloud) -> None:
    cloud.account.timeout = 3.0
    result = run("list", "Shop-Guardian")
    assert "there may be more" in result.stdout
    assert result.exit_code == 1


def test_show_has_every_step(run: Run) -> None:
    result = run("show", "Shop-Guardian", "order-7")
    assert "Outcome    COMPENSATION_PARKED\n" in result.stdout
    assert squeezed(SHOWN) == [line for line in squeezed(result.stdout) if line in squeezed(SHOWN)]
    assert result.exit_code == 0


def test_of_an_error_the_name_and_the_words_are_shown_and_no_more_than_fits(run: Run, cloud: Cloud) -> None:
    words = "PermanentError: the insurer has no such policy, ask Bob"
    cause = {"errorMessage": words, "errorType": "PermanentError", "stackTrace": ["  File task.py\n"] * 40}
    parked = {"error": {"S": json.dumps({"Error": "PermanentError", "Cause": json.dumps(cause)})}}
    cloud.account.parked("ReserveStock", **parked)
    result = run("show", "Shop-Guardian", "order-7")
    assert ["ReserveStock", "PARKED", *words.split()] in squeezed(result.stdout)
    long = {"error": {"S": json.dumps({"Error": "BankIsDown", "Cause": "no answer " * 100})}}
    cloud.account.parked("ReserveStock", **long)
    result = run("show", "Shop-Guardian", "order-7")
    assert "BankIsDown: no answer no answer" in result.stdout
    assert max(map(len, result.stdout.splitlines())) == 120
    told = json.loads(run("show", "Shop-Guardian", "order-7", "--json").stdout)["steps"][0]["error"]
    assert len(told) == 1_000


def test_resume_shows_asks_and_says_what_has_begun(run: Run, cloud: Cloud) -> None:
    result = run("resume", "Shop-Guardian", "order-7", "--reason", "the bank is back", answer="y\n")
    assert "PARKED" in result.stdout
    assert "Resume order-7? [y/N]: y\n" in result.stdout
    assert result.stdout.endswith("Recovery order-7-1 has begun: saga show tells how it goes.\n")
    assert result.exit_code == 0
    shown = run("show", "Shop-Guardian", "order-7").stdout
    assert "Recovery order-7-1: RUNNING" in shown
    assert "asked for by arn:aws:iam::111122223333:user/ann: the bank is back" in shown
    assert cloud.account.stepfunctions.recoveries == ["order-7-1"]


def test_who_says_no_resumes_nothing(run: Run, cloud: Cloud) -> None:
    result = run("resume", "Shop-Guardian", "order-7", "--reason", "why", answer="n\n")
    assert result.stdout.endswith("Nothing was resumed.\n")
    assert (result.exit_code, cloud.account.stepfunctions.recoveries) == (1, [])


def test_a_recovery_that_runs_is_said_to(run: Run) -> None:
    run("resume", "Shop-Guardian", "order-7", "--reason", "why", "--yes")
    result = run("resume", "Shop-Guardian", "order-7", "--reason", "why", "--yes")
    assert result.stdout.endswith("Recovery order-7-1 was begun before: saga show tells how it goes.\n")
    assert result.exit_code == 0


@pytest.mark.parametrize("status", ["SUCCEEDED", "COMPENSATED"])
def test_what_came_to_a_good_end_is_not_resumed(run: Run, cloud: Cloud, status: str) -> None:
    run("resume", "Shop-Guardian", "order-7", "--reason", "why", "--yes")
    told = json.dumps({"status": status, "error": {"Error": "Rejected", "Cause": "no budget"}})
    cloud.account.stepfunctions.put(RECOVERY, "order-7-1", "SUCCEEDED", output=told)
    result = run("resume", "Shop-Guardian", "order-7", "--reason", "why", "--yes")
    assert result.stdout.endswith(f"There is nothing to resume: order-7-1 has come to a good end, {status}.\n")
    assert f"Outcome    {status}\n" in result.stdout
    assert ("Went back  Rejected: no budget\n" in result.stdout) is (status == "COMPENSATED")
    assert result.exit_code == 1


def test_for_machines_one_object_on_stdout(run: Run) -> None:
    assert len(json.loads(run("list", "Shop-Guardian", "--json").stdout)["executions"]) == 2
    assert json.loads(run("show", "Shop-Guardian", "order-7", "--json").stdout)["steps"][2]["status"] == "NOT_BEGUN"
    result = run("resume", "Shop-Guardian", "order-7", "--reason", "why", "--yes", "--json")
    assert json.loads(result.stdout) == {"recovery": "order-7-1", "began": True, "outcome": "RUNNING"}
    assert "ReserveStock" in result.stderr


def test_where_nobody_can_be_asked_it_asks_for_yes(run: Run) -> None:
    result = run("resume", "Shop-Guardian", "order-7", "--reason", "why")
    assert (result.exit_code, "add --yes" in result.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("--reason", "  ")])
def test_a_reason_is_asked_for(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("resume", "Shop-Guardian", "order-7", "--yes", *arguments)
    assert (result.exit_code, "--reason" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nothing", "There is no function nothing in eu-west-1, or you may not see it. Type the name or ARN"),
        ("Shop", "Type one of: Shop.Guardian, Shop.Machine, Shop.Queue."),
        ("charge", "The function charge is no saga's guardian."),
        ("Shop.Queue", "There is no function orders (the value of Shop.Queue)"),
        ("Shop.Machine", "arn:aws:states:x:1:stateMachine:y (the value of Shop.Machine) is not a function's ARN."),
        ("Shop.Nothing", "Stack Shop has no output Nothing."),
        ("Other.Guardian", "There is no stack named Other in eu-west-1."),
    ],
)
def test_a_wrong_target_invokes_nothing_and_says_what_to_type(run: Run, cloud: Cloud, target: str, words: str) -> None:
    result = run("list", target)
    assert words in result.stderr
    assert (result.exit_code, cloud.asked, result.stdout) == (2, [], "")


def test_what_the_guardian_refuses_is_said(run: Run) -> None:
    result = run("show", "Shop-Guardian", "order-9")
    assert result.stderr == "Error: The guardian refused: there is no execution 'order-9', or it is forgotten.\n"
    assert result.exit_code == 1


def test_a_guardian_that_fails_is_said_to(run: Run, cloud: Cloud) -> None:
    cloud.breaks = True
    result = run("list", "Shop-Guardian")
    assert (result.stderr, result.exit_code) == ("Error: The guardian failed: ClientError. Its log says more.\n", 1)


def test_who_is_unknown_to_aws_is_known_to_this_machine(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(Cloud, "get_caller_identity", nobody)
    monkeypatch.setattr("serverless_patterns.cli._placing.getpass.getuser", lambda: "ann")
    run("resume", "Shop-Guardian", "order-7", "--reason", "why", "--yes")
    mark = cloud.account.mark()
    assert mark is not None
    assert mark["audit"]["L"][0]["M"]["by"] == {"S": "ann"}


def test_control_characters_of_an_error_do_not_reach_the_terminal(run: Run, cloud: Cloud) -> None:
    cloud.account.dies("order-9", "FAILED", error="\x1b[2Jgone", cause="\x07")
    shown = run("list", "Shop-Guardian").stdout + run("show", "Shop-Guardian", "order-9").stdout
    assert "\\x1b[2Jgone" in shown
    assert not set(shown) & {"\x1b", "\x07"}


def test_the_region_of_an_arn_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr(
        "serverless_patterns.cli._saga_commands.list_open", lambda place, *_, **__: seen.append(place.region) or 0
    )
    CliRunner().invoke(commands, ["saga", "list", ARN])
    assert seen == ["eu-west-1"]


def test_the_page_shows_what_the_commands_print(run: Run, cloud: Cloud) -> None:
    cloud.outputs["CheckoutGuardian"] = "Shop-Guardian"
    shown = [*documented((Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8"), "Sagas")]
    assert len(shown) == 2
    for line, output in shown:
        assert squeezed(run(*shlex.split(line)[2:]).stdout) == squeezed(output), line
