"""What a user sees: tables, lines, questions and exit codes, byte for byte."""

import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner, Result
from rich.console import Console

from serverless_patterns.cli import _clock, _peek, _progress, _redrive_command, _report
from serverless_patterns.cli._aws import Place
from serverless_patterns.cli._commands import commands
from serverless_patterns.cli._selection import Selection
from serverless_patterns.cli._survey import survey
from serverless_patterns_runtime import payload
from serverless_patterns_runtime.errors import MalformedPayload
from tests.runtime.two_queues import TwoQueues, redrive_of, throttled

Run = Callable[..., Result]

BROKEN = ("{", "{   order", '{"order": 7, ')


def reason_of(body: str) -> str:
    """What the runtime says of a malformed body."""
    with pytest.raises(MalformedPayload) as refused:
        payload.parse(body)
    return str(refused.value)


@pytest.fixture
def sqs() -> TwoQueues:
    sqs = TwoQueues()
    for number in range(12):
        sqs.put_dead(f'{{"order": {number}}}', "an order needs at least one line", idempotency_key=f"o-{number}")
    sqs.sleep(3_720)
    for body in BROKEN:
        sqs.put_dead(body, reason_of(body), "MalformedPayload")
    sqs.put_dead("slow", None)
    sqs.sleep(60)
    return sqs


@pytest.fixture
def run(sqs: TwoQueues, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(Place, "sqs", lambda self: sqs.client)  # noqa: ARG005
    monkeypatch.setattr(Place, "cloudformation", lambda self: sqs.client)  # noqa: ARG005
    model_clock = sqs.clock()
    for module in (_peek, _redrive_command):
        monkeypatch.setattr(module, "Clock", lambda sleep: _clock.Clock(model_clock.now, model_clock.sleep))  # noqa: ARG005
    monkeypatch.setattr(_redrive_command, "monotonic", model_clock.now)

    def invoke(*arguments: str, answer: str | None = None) -> Result:
        if answer is not None:
            monkeypatch.setattr("serverless_patterns.cli._commands.somebody_is_there", lambda: True)
        return CliRunner().invoke(commands, arguments, input=answer)

    return invoke


HEAD = """\
Dead-letter queue  orders-dead
Queue              orders
"""
TABLE = """\
Messages   Reason                             Error type            Oldest   First id
─────────────────────────────────────────────────────────────────────────────────────
      12   an order needs at least one line   PermanentError     1 h 3 min   00000001
       3   not valid JSON                     MalformedPayload       1 min   0000000d
       1   received more than 5 times         -                      1 min   00000010
"""


def test_peek_counts_by_reason_and_hides_nothing(run: Run, sqs: TwoQueues) -> None:
    result = run("peek", "orders")
    assert result.stdout == f"{HEAD}\n{TABLE}\n16 messages. SQS deletes the oldest in 13 d 22 h.\n"
    assert (result.exit_code, result.stderr, sqs.hidden(sqs.dead)) == (0, "", [])


def test_bodies_are_shown_only_when_asked_for(run: Run) -> None:
    assert '"order"' not in run("peek", "orders").output
    assert '"order"' not in run("peek", "orders", "--json").output
    assert "0001-0000" not in run("peek", "orders").output
    shown = run("peek", "orders", "--bodies").stdout
    assert '\n  {"order": 11}\n' in shown
    letters = json.loads(run("peek", "orders", "--json", "--bodies").stdout)["letters"]
    assert sorted(letter["body"] for letter in letters)[0] == "slow"


def test_control_characters_of_a_message_do_not_reach_the_terminal(run: Run, sqs: TwoQueues) -> None:
    sqs.dead.messages.clear()
    sqs.put_dead("a\x1b[2J\u202eb\r\n\tc", "\x1b]0;title\x07[red]no[/red]", "\x9bE")
    shown = run("peek", "orders", "--bodies").stdout
    assert "\\x1b]0;title\\x07[red]no[/red]   \\x9bE" in shown
    assert "  a\\x1b[2J\\u202eb\n  \\tc\n" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\u202e", "\r"}


def test_peek_for_machines(run: Run) -> None:
    result = run("peek", "orders", "--json")
    shown = json.loads(result.stdout)
    assert result.stderr == ""
    assert shown["dead_letter_queue"].endswith("/orders-dead")
    assert shown["queue"].endswith("/orders")
    assert (shown["messages"], shown["hidden"]) == (16, 0)
    assert shown["reasons"][2] == {
        "reason": "received more than 5 times",
        "error_type": None,
        "messages": 1,
        "oldest_age_seconds": 60.0,
        "first_message_id": next(x["message_id"] for x in shown["letters"] if x["error_type"] is None),
    }
    assert set(shown["letters"][0]) == {
        "message_id", "reason", "error_type", "age_seconds", "idempotency_key", "correlation_id", "group_id"
    }  # fmt: skip


def test_a_limit_says_what_it_leaves_out(run: Run) -> None:
    assert run("peek", "orders", "--limit", "3").stdout.endswith("\nSQS counts about 13 more.\n")


def test_hidden_messages_are_told(run: Run, sqs: TwoQueues) -> None:
    sqs.dead.messages[0].visible_at = sqs.now + 1_000
    line = (
        "About 1 more are hidden: another run or a consumer has received them, or had."
        " They show again when it ends or its visibility timeout is over.\n"
    )
    assert run("peek", "orders").stdout.endswith(line)


def test_many_reasons_are_cut_and_counted(run: Run, sqs: TwoQueues) -> None:
    for number in range(30):
        sqs.put_dead("x", f"order {number} is late")
    shown = run("peek", "orders").stdout
    assert shown.count(" is late ") == 18
    assert "\nand 13 messages with 13 other reasons (all of them: peek --json)\n" in shown


def test_a_narrow_terminal_folds_reasons_and_nothing_else(sqs: TwoQueues, capsys: pytest.CaptureFixture[str]) -> None:
    found = survey(sqs.client, sqs.route(), clock=sqs.clock())
    _report.show_survey(Console(width=72, highlight=False), found, sqs.route(), limited=False)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()[1:-2]] == [
        "Messages   Reason                Error type            Oldest   First id",
        "────────────────────────────────────────────────────────────────────────",
        "      12   an order needs at     PermanentError     1 h 3 min   00000001",
        "           least one line",
        "       3   not valid JSON        MalformedPayload       1 min   0000000d",
        "       1   received more than    -                      1 min   00000010",
        "           5 times",
    ]


@pytest.mark.parametrize("selection", [None, Selection(reason="in")])
def test_no_error_type_of_ours_is_broken_in_80_columns(
    sqs: TwoQueues, capsys: pytest.CaptureFixture[str], selection: Selection | None
) -> None:
    sqs.put_dead("x", "the idempotency key came before with another payload", "IdempotencyKeyReused")
    found = survey(sqs.client, sqs.route(), clock=sqs.clock())
    _report.show_survey(Console(width=80, highlight=False), found, sqs.route(), limited=False, selection=selection)
    shown = capsys.readouterr().out
    for whole in ("IdempotencyKeyReused", "MalformedPayload", "PermanentError", "Error type"):
        assert f" {whole} " in f" {shown}", shown


def test_where_a_body_is_broken_makes_no_reason_of_its_own(run: Run) -> None:
    shown = json.loads(run("peek", "orders", "--json").stdout)
    assert [(row["reason"], row["messages"]) for row in shown["reasons"]][1] == ("not valid JSON", 3)
    assert {row["reason"] for row in shown["letters"] if row["error_type"] == "MalformedPayload"} == {
        "not valid JSON at character 1", "not valid JSON at character 4", "not valid JSON at character 13"
    }  # fmt: skip


def test_redrive_shows_asks_moves_and_says_so(run: Run, sqs: TwoQueues) -> None:
    result = run("redrive", "orders", answer="y\n")
    question = "Send 16 messages back to orders, 10 a second (1 s)? [y/N]: y\n"
    summary = "16 messages. SQS deletes the oldest in 13 d 22 h.\n"
    assert result.stdout == f"{HEAD}\n{TABLE}\n{summary}{question}Moved 16 messages to orders in 2 s.\n"
    assert (result.exit_code, result.stderr, sqs.dead.messages) == (0, "", [])


def test_a_selection_is_a_column_and_a_dry_run_moves_nothing(run: Run, sqs: TwoQueues) -> None:
    result = run("redrive", "orders", "--dry-run", "--error-type", "MalformedPayload")
    assert "\n       3          3   not valid JSON " in result.stdout
    assert "\n      12          0   an order needs at least one line " in result.stdout
    assert result.stdout.endswith("\nDry run: 3 messages would go back to orders.\n")
    assert (result.exit_code, len(sqs.dead.messages), sqs.hidden(sqs.dead)) == (0, 16, [])


def test_no_means_no(run: Run, sqs: TwoQueues) -> None:
    result = run("redrive", "orders", answer="\n")
    assert result.stdout.endswith("[y/N]: \nNothing was moved.\n")
    assert (result.exit_code, len(sqs.dead.messages), sqs.hidden(sqs.dead)) == (1, 16, [])


def test_without_a_terminal_and_yes_nothing_is_even_read(run: Run, sqs: TwoQueues) -> None:
    result = run("redrive", "orders")
    assert result.stderr.endswith(
        "Error: There is nobody to ask: add --yes to send them back, or --dry-run to only look.\n"
    )
    assert (result.exit_code, sqs.calls) == (2, [])


def test_json_is_alone_on_stdout(run: Run) -> None:
    result = run("redrive", "orders", "--json", "--reason", "JSON", answer="y\n")
    shown = json.loads(result.stdout)
    assert (shown["complete"], len(shown["moved"]), shown["dry_run"], shown["stopped"]) == (True, 3, False, None)
    assert result.stderr.endswith("\nSend 3 messages back to orders, 10 a second (under 1 s)? [y/N]: y\n"
                                  "Moved 3 messages to orders in 1 s.\n")  # fmt: skip


def test_an_empty_queue_is_no_failure(run: Run, sqs: TwoQueues) -> None:
    sqs.dead.messages.clear()
    for command in (("peek", "orders"), ("redrive", "orders", "--yes")):
        result = run(*command)
        assert (result.stdout, result.exit_code) == (f"{HEAD}\nThere is nothing in it.\n\n", 0)


def test_a_message_id_that_is_not_there_is_left_by_name(run: Run) -> None:
    result = run("redrive", "orders", "--yes", "--message-id", "0badcafe", "--message-id", "0000000d")
    assert result.stdout.endswith(
        "\nMoved 1 message to orders in 1 s.\n"
        "Left: 1 message (0badcafe): not in the dead-letter queue, or hidden\n"
    )  # fmt: skip
    assert result.exit_code == 1
    result = run("redrive", "orders", "--yes", "--message-id", "0badcafe")
    assert result.stdout.endswith("or hidden\nNone of them is selected. Nothing was moved.\n")
    assert result.exit_code == 1


def test_what_is_left_and_what_came_back_is_told_by_cause(run: Run, sqs: TwoQueues) -> None:
    refusal = {"SenderFault": True, "Code": "InvalidMessageContents", "Message": "characters"}
    sqs.refuse = lambda name, entry: refusal if entry.get("MessageBody") in BROKEN else None  # noqa: ARG005

    def fail_again(number: int, name: str, when: str) -> None:  # noqa: ARG001
        for message in [m for m in sqs.queue.messages if m.body in ("slow", '{"order": 3}')]:
            sqs.queue.messages.remove(message)
            sqs.put_dead(message.body, "still slow", idempotency_key=redrive_of(message)["idempotency_key"])

    sqs.on_call = fail_again
    result = run("redrive", "orders", "--yes")
    assert result.stdout.splitlines()[-4:] == [
        "Moved 13 messages to orders in 2 s.",
        "Left: 3 messages (0000000d, 0000000e, 0000000f): SQS refused it: InvalidMessageContents: characters",
        "Came back: 2 messages (0000001a, 0000001b): still slow",
        "  The cause is still there. This run did not move them again.",
    ]
    assert result.exit_code == 1


def test_an_error_in_the_middle_says_how_far_it_came(run: Run, sqs: TwoQueues) -> None:
    def expire(number: int, name: str, when: str) -> None:  # noqa: ARG001
        if sqs.calls.count("send_message_batch") == 2 and when == "before":
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "SendMessageBatch")

    sqs.on_call = expire
    result = run("redrive", "orders", "--yes")
    lines = result.stdout.splitlines()
    at = lines.index("Moved 10 messages to orders in 1 s.")
    assert lines[at + 1] == ("Stopped: The AWS credentials have expired. Renew them and run the same command again.")
    assert result.exit_code == 1
    sqs.on_call = lambda number, name, when: None  # noqa: ARG005
    sqs.sleep(200)
    assert run("redrive", "orders", "--yes").exit_code == 0
    assert sqs.dead.messages == []


@pytest.mark.parametrize(
    ("error", "line", "exit_code"),
    [
        (NoCredentialsError(), "No AWS credentials. Say which with --profile, or set them in the environment.", 1),
        (throttled("ReceiveMessage"), "ReceiveMessage: RequestThrottled: Rate exceeded", 1),
    ],
)
def test_errors_of_aws_are_one_line(run: Run, sqs: TwoQueues, error: Exception, line: str, exit_code: int) -> None:
    def fail(number: int, name: str, when: str) -> None:  # noqa: ARG001
        raise error

    sqs.on_call = fail
    result = run("peek", "orders")
    assert (result.stderr, result.exit_code) == (f"Error: {line}\n", exit_code)


@pytest.mark.parametrize("missing", ["click", "rich", "boto3"])
def test_without_the_extra_one_line_says_how_to_install_it(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from serverless_patterns.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stderr == f"{missing} is not installed: pip install 'cdk-serverless-patterns[cli]'\n"
    assert result.returncode == 2


def test_the_command_starts_without_the_cdk() -> None:
    code = "import sys; from serverless_patterns.cli import _commands; assert not {'aws_cdk', 'jsii'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "under 1 s"), (59.9, "59 s"), (60, "1 min"), (3_725, "1 h 2 min"), (3_605, "1 h"), (14 * 86_400, "14 d")],
)
def test_ages_have_two_units_at_most(seconds: float, words: str) -> None:
    assert _report.age(seconds) == words


def test_the_page_shows_what_the_command_prints(run: Run) -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text()
    blocks = re.findall(r"^```console\n(.*?)^```$", page.partition("\n## Sagas\n")[0], re.M | re.S)
    shown = [part for block in blocks for part in block.split("$ ")[1:]]
    assert len(shown) == 3
    for part in shown:
        line, _, output = part.partition("\n")
        assert run(*shlex.split(line)[1:]).stdout.rstrip() == output.rstrip(), line


def test_in_a_pipe_progress_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 1, 6, 6, 7, 12, 12])
    monkeypatch.setattr(_progress, "monotonic", lambda: next(seconds))
    console = Console(file=io.StringIO(), width=80, highlight=False)
    with _progress.progress(console, "Sending back", 1_200) as show:
        for done in (10, 600, 700, 1_300):
            show(done)
    assert console.file.getvalue() == "Sending back: 600 of 1,200\nSending back: 1,300 of 1,300\n"  # type: ignore[attr-defined]


def test_the_command_says_which_version_it_is() -> None:
    result = CliRunner().invoke(commands, ["--version"], prog_name="serverless-patterns")
    assert result.output == f"serverless-patterns, version {metadata.version('cdk-serverless-patterns')}\n"
