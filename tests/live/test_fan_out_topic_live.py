"""`FanOutTopic` as deployed: the synthesised templates, the shipped layer, roles enforced, faults on the wire.

The rule of the sweep runs once a minute; where a test needs its deadline, it invokes the deployed function itself.
"""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

import pytest

from serverless_patterns.testing import EmbeddedCloud, Fault, wait_until
from tests.live.fake_partner import Partner, fake_partner
from tests.live.fan_out_stack import BRANCHES, FIXED, WAIT_SECONDS, FanOutStack, LiveFan, gathering_of

REDRIVE = [sys.executable, "-m", "serverless_patterns.cli", "redrive"]
SDK_ATTEMPTS = 3
KINDS: list[dict[str, Any]] = [{"kind": "placed", "country": "se"}, {"kind": "placed"}, {"kind": "notice"}]
WANTED = {"Stock": {"placed"}, "Mail": {"placed", "notice"}, "Abroad": {"placed"}}


class Deployed(LiveFan):
    partner: Partner


@pytest.fixture(scope="module")
def live(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[Deployed]:
    with fake_partner() as partner:
        app = embedded_cloud.app(tmp_path_factory.mktemp("fan-out") / "cdk.out")
        stack = FanOutStack(app, "Fan", partner.url)
        with embedded_cloud.deploy(app) as deployment:
            live = Deployed(embedded_cloud, deployment, stack)
            live.partner = partner
            yield live


def test_a_message_ends_once_with_the_results_of_the_branches_that_its_filters_name(live: Deployed) -> None:
    live.publish(
        [
            {"id": "all", "kind": "placed", "country": "se"},
            {"id": "two", "kind": "placed", "country": "no"},
            {"id": "one", "kind": "notice"},
        ]
    )
    ends = live.wait_ended(["all", "two", "one"])
    assert {id: sorted(end.results) for id, end in ends.items()} == {
        "all": sorted(BRANCHES),
        "two": ["Mail", "Stock"],
        "one": ["Mail"],
    }
    assert {(end.times, end.outcome, *end.missing) for end in ends.values()} == {(1, "complete")}
    assert ends["all"].results["Abroad"] == {"by": "Abroad"}


def test_processed_and_dead_lettered_are_what_was_published_and_each_ends_once(live: Deployed) -> None:
    """With poison, duplicates, and each request between a result and the end refused, or its answer lost."""
    messages = {f"book-{n}": {"id": f"book-{n}", **KINDS[n % 3]} for n in range(24)}
    messages["book-0"]["script"] = {"Stock": {"refused": "no such product"}}
    messages["book-2"]["script"] = {"Mail": {"fails": 99}}
    messages["book-3"]["script"] = {"Abroad": {"refused": "no such country"}, "Mail": {"fails": 1}}
    poison = {"Stock": {"book-0"}, "Mail": {"book-2"}, "Abroad": {"book-3"}}
    heads, announces = live.named(gathering_of(live.stack.events).table), f"QueueUrl == '{live.completions.url}'"
    faults = (
        Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS),
        Fault.lost_answer("dynamodb", "UpdateItem", times=SDK_ATTEMPTS, resource=heads),
        Fault.throttled("dynamodb", "UpdateItem", times=SDK_ATTEMPTS, resource=heads),
        Fault.refused("sqs", "SendMessage", times=SDK_ATTEMPTS, body=announces),
        Fault.lost_answer("sqs", "SendMessage", times=1, body=announces),
    )
    with live.cloud.faults.inject(*faults):
        live.publish(messages.values())
        live.wait_ended(messages.keys() - set.union(*poison.values()))
    live.publish(list(messages.values())[::3])
    ended = live.wait_ended(messages.keys() - set.union(*poison.values()))
    for branch, queue in live.branches.items():
        wanted = {id for id, message in messages.items() if branch in branches_of(message)}
        marks = live.marks(branch, wanted)
        letters = queue.take_dead_letters(queue.depth(queue.dead_letter_url))
        dead = {json.loads(letter["Body"])["id"] for letter in letters}
        assert dead == poison[branch]
        assert marks.keys() | dead == wanted
        assert marks.keys().isdisjoint(dead)
        assert branch == "Mail" or {mark["times"] for mark in marks.values()} == {1}
    assert {id: set(end.results) for id, end in ended.items()} == {id: branches_of(messages[id]) for id in ended}
    assert {(end.times, end.outcome, *end.missing) for end in ended.values()} == {(1, "complete")}
    assert all(end.correlation_id == f"c-{id}" for id, end in ended.items())
    assert live.marks("Completion", messages).keys() == ended.keys()
    assert {live.head(live.stack.events, id)["state"] for id in set.union(*poison.values())} == {"open"}
    audited = {json.loads(message["Body"])["id"] for message in live.received(live.stack.audit, len(messages))}
    assert audited >= messages.keys()


def branches_of(message: dict[str, Any]) -> set[str]:
    swedish = message.get("country") == "se"
    return {name for name, kinds in WANTED.items() if message["kind"] in kinds and (swedish or name != "Abroad")}


def test_a_message_of_a_stranger_reaches_and_ends_like_any_other(live: Deployed) -> None:
    """Without any of our attributes: filters look at its body, and so does the key."""
    live.publish_as_a_stranger({"id": "stranger", "kind": "placed", "country": "se"})
    (end,) = live.wait_ended(["stranger"]).values()
    assert (end.times, end.outcome, sorted(end.results)) == (1, "complete", ["Abroad", "Stock"])


def test_a_request_s_correlation_id_is_that_of_every_branch_and_of_the_end(live: Deployed) -> None:
    """The publisher's answer is lost, so that it publishes twice."""
    with live.cloud.faults.inject(Fault.lost_answer("sns", "PublishBatch", times=1)):
        answer = live.api.call(
            "POST /events", {"id": "traced", **KINDS[0]}, {"X-Correlation-Id": "trace-7", "Idempotency-Key": "k"}
        )
    assert (answer.status, answer.json["key"]) == (202, "traced")
    (end,) = live.wait_ended(["traced"]).values()
    assert (end.times, end.correlation_id) == (1, "trace-7")
    for branch, queue in live.branches.items():
        assert live.marks(branch, ["traced"])["traced"]["correlation_id"] == "trace-7"
        lines = [json.loads(line) for line in live.cloud.logs(queue.function_name) if '"trace-7"' in line]
        assert "Succeeded" in {line.get("outcome") for line in lines}


def test_a_large_payload_goes_by_claim_check_and_a_large_result_by_s3(live: Deployed) -> None:
    most = 400_000
    body = {"id": "large", **KINDS[0], "text": "x" * most, "script": {"Mail": {"result": 70_000}}}
    assert live.api.call("POST /events", body).status == 202
    (end,) = live.wait_ended(["large"]).values()
    assert (end.times, end.outcome, sorted(end.results)) == (1, "complete", sorted(BRANCHES))
    assert (end.text, end.results["Mail"]["text"], len(end.results["Mail"]["more"])) == (most, most, 70_000)
    assert "s3" in json.loads(live.head(live.stack.events, "large")["result Mail"])
    bodies = [json.loads(message["Body"]) for message in live.received(live.stack.audit, 1)]
    (sent,) = [body for body in bodies if body["id"] == "large"]
    assert (sent.keys(), sent["kind"]) == ({"id", "kind", "country", "claim-check"}, "placed")


def test_what_nobody_wants_is_kept_as_it_came_and_nothing_else(live: Deployed) -> None:
    live.publish([{"id": "unwanted", "kind": "nobody's"}, {"id": "wanted", "kind": "notice"}])
    live.publish_as_a_stranger({"kind": "unheard of"})
    queue = live.stack.events.unmatched_queue
    assert queue is not None
    kept = live.received(queue, 2)
    live.wait_ended(["wanted"])
    assert sorted(message["Body"] for message in kept) == [
        '{"id": "unwanted", "kind": "nobody\'s"}',
        '{"kind": "unheard of"}',
    ]
    (unwanted,) = [message for message in kept if "unwanted" in message["Body"]]
    assert unwanted["MessageAttributes"]["kind"]["StringValue"] == "nobody's"
    assert live.marks("Completion", ["unwanted"]) == {}


def test_after_a_crash_or_by_a_redrive_a_branch_completes_what_it_had_left_open(live: Deployed) -> None:
    stock, abroad, events = live.branches["Stock"], live.branches["Abroad"], live.stack.events
    begun = time.time()
    live.publish([{"id": "crashed", **KINDS[0], "script": {"Abroad": {"seconds": 1}}}])
    wait_until(lambda: live.in_flight(abroad.url), WAIT_SECONDS, "Abroad to run", interval_seconds=0.05)
    assert live.cloud.kill_function(abroad.function_name)
    live.publish([{"id": "mended", "kind": "placed", "script": {"Stock": {"needs_fix": True}}}])
    wait_until(lambda: stock.depth(stock.dead_letter_url) == 1, WAIT_SECONDS, "the dead letter")
    live.wait_marked("Mail", ["mended", "crashed"])
    wait_until(lambda: live.done(events, "mended") == {"Mail"}, WAIT_SECONDS, "the other branch's result")
    wait_until(lambda: live.done(events, "crashed") == {"Mail", "Stock"}, WAIT_SECONDS, "the other branches' results")
    assert live.marks("Completion", ["mended", "crashed"]) == {}
    stock.write_mark(FIXED)
    redriven = subprocess.run(
        [*REDRIVE, stock.url, "--yes"], env=live.cloud.environment, capture_output=True, text=True, check=False
    )
    assert redriven.returncode == 0, redriven.stdout + redriven.stderr
    ends = live.wait_ended(["mended", "crashed"])
    assert {(end.times, end.outcome) for end in ends.values()} == {(1, "complete")}
    assert {id: set(end.results) for id, end in ends.items()} == {
        "mended": {"Mail", "Stock"},
        "crashed": {"Mail", "Stock", "Abroad"},
    }
    assert ends["mended"].correlation_id == "c-mended"
    assert live.marks("Abroad", ["crashed"])["crashed"]["times"] == 1
    assert live.cloud.errors(abroad.function_name, since=begun), "it was killed in the midst of it"
    assert stock.depth(stock.dead_letter_url) == 0


def test_a_branch_that_stalls_holds_up_no_other_and_comes_too_late(live: Deployed) -> None:
    ids, hasty = [f"hasty-{n}" for n in range(6)], live.stack.hasty

    def is_ended() -> bool:
        live.sweep(hasty, at_once=3)
        return len(live.marks("Completion", ids)) == len(ids)

    with live.partner.holding():
        live.publish([{"id": id} for id in ids], hasty)
        assert {mark["times"] for mark in live.wait_marked("Quick", ids).values()} == {1}
        live.quick.wait_drained()
        wait_until(lambda: live.partner.times() > 0, WAIT_SECONDS, "the other branch to have begun")
        assert live.stalled.depth(live.stalled.url) == len(ids)
        assert live.marks("Stalled", ids) == {}
        wait_until(is_ended, WAIT_SECONDS, "the deadline to be seen")
        live.hasty_completions.wait_drained()
        ended = live.ends(ids)
        assert {(end.times, end.outcome, *end.missing) for end in ended.values()} == {(1, "deadline", "Stalled")}
        assert all(end.results == {"Quick": {"by": "Quick"}} for end in ended.values())
    live.stalled.wait_drained()
    live.sweep(hasty)
    live.hasty_completions.wait_drained()
    assert live.marks("Stalled", ids).keys() == set(ids), "what it does, it does"
    assert live.ends(ids) == ended
    heads = [live.head(hasty, id) for id in ids]
    assert all((head["state"], head["late"]) == ("deadline", ["Stalled"]) for head in heads)
    assert not any("result Stalled" in head for head in heads)
    late = [line for line in live.cloud.logs(live.stalled.function_name) if "came too late, and is refused" in line]
    assert len(late) == len(ids)
    assert live.stalled.depth(live.stalled.dead_letter_url) == 0


def test_a_message_starts_a_saga_once_however_often_it_is_published(live: Deployed) -> None:
    live.publish([{"id": f"checkout-{n // 3}", "kind": "checkout"} for n in range(6)])
    machine, states = live.named(live.stack.checkout.state_machine), live.cloud.client("stepfunctions")

    def statuses() -> dict[str, str]:
        executions = states.list_executions(stateMachineArn=machine)["executions"]
        assert len({each["name"] for each in executions}) == len(executions)
        return {each["name"]: each["status"] for each in executions}

    done = dict.fromkeys(("checkout-0", "checkout-1"), "SUCCEEDED")
    wait_until(lambda: statuses() == done, WAIT_SECONDS, "both sagas to be done")
    live.starter.wait_drained()
    assert statuses() == done
    assert {mark["times"] for mark in live.marks("Checkout", done).values()} == {1}
    assert live.starter.depth(live.starter.dead_letter_url) == 0


def test_what_is_put_into_a_bucket_is_published(live: Deployed) -> None:
    s3, bucket = live.cloud.client("s3"), live.named(live.stack.bucket)
    for name in ("elsewhere/a.jpg", "incoming/a.txt", "incoming/a.jpg"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"content")
    (mark,) = live.wait_marked("Catalogue", ["incoming/a.jpg"]).values()
    assert (mark["times"], mark["size"]) == (1, 7)
    assert live.marks("Catalogue", ["elsewhere/a.jpg", "incoming/a.txt"]) == {}
