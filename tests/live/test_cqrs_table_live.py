"""`CqrsTable` as deployed: the synthesised templates, the shipped layer, roles enforced, faults on the wire.

The embedded cloud loses what a batch's answer names, and repeats for ever what raises: so the faults here are those
that a projector gets over by itself, or dies of. The rest is the simulation's, whose invariants are these.
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from serverless_patterns.testing import EmbeddedCloud, Fault, wait_until
from tests.live.cqrs_account import records, settled, states
from tests.live.cqrs_history import history
from tests.live.cqrs_stack import FRAGILE, VIEWS, WAIT_SECONDS, CqrsStack, LiveOrders, eventually
from tests.simulation.cqrs_shop import AGGREGATES, CONTROL, ROWS, SHARED, TOTALS, rows, totals

VIEW = [sys.executable, "-m", "serverless_patterns.cli", "view"]
SDK_ATTEMPTS = 3
COMMANDS, AT_ONCE = 50, 10
"""On one aggregate. Each one of those at once is a process of its own: with all fifty, two cores are busy for longer
than clients wait for an answer. All fifty at once are the simulation's."""


@pytest.fixture(scope="module")
def live(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveOrders]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("cqrs") / "cdk.out")
    stack = CqrsStack(app, "Cqrs")
    with embedded_cloud.deploy(app) as deployment:
        live = LiveOrders(embedded_cloud, deployment, stack)
        live.fill_for_the_first_time()
        yield live


def test_a_command_is_done_once_for_its_key_and_answers_the_version_that_it_made(live: LiveOrders) -> None:
    placed = live.place("once", customer="ann", lines={"tea": 4})
    version = placed.json["version"]
    assert (placed.status, placed.headers["ETag"]) == (200, f'"{version}"')
    assert placed.json == {"key": "once", "version": version, "token": f"{version}@once", "result": {"lines": 1}}
    again = live.place("once", customer="ann", lines={"tea": 4})
    assert (again.status, again.json) == (200, placed.json)
    assert ("Idempotent-Replayed" in placed.headers, "Idempotent-Replayed" in again.headers) == (False, True)
    assert live.place("once", customer="ben", lines={}).status == 422
    counted = live.post("/orders/once/count", "c-1", {"by": "c-1"}, If_Match=f'"{version}"')
    assert (counted.status, counted.json["version"], counted.json["result"]) == (200, version + 1, {"counted": 1})
    shown = live.api.call("GET /orders/once")
    assert (shown.json["by"], shown.headers["ETag"]) == (["c-1"], f'"{version + 1}"')
    direct = live.command("count", "once", {"by": "c-2"}, id="c-2")
    assert (direct["version"], "replayed" in direct) == (version + 2, False)
    assert live.command("count", "once", {"by": "c-2"}, id="c-2") == {**direct, "replayed": True}
    assert live.command("count", "once", {"by": "c-3"}, id="c-2")["status"] == 422


def test_a_command_that_cannot_be_done_says_why_and_changes_nothing(live: LiveOrders) -> None:
    version = live.place("refused", customer="ann", lines={}).json["version"]
    path = "/orders/refused/count"
    assert live.post(path, "r-1", {"by": "x"}, If_Match=f'"{version - 1}"').status == 409
    assert live.post("/orders", "r-2", {"order_id": "refused"}, If_None_Match="*").status == 409
    assert live.post("/orders/none/count", "r-3", {"by": "x"}).status == 409
    assert live.post(path, "r-4", "{", Content_Type="application/json").status == 400
    assert live.api.call(f"POST {path}", {"by": "x"}).status == 400  # no Idempotency-Key
    assert live.post(path, "r-5", {"by": "x"}, If_Match="any").status == 400
    unknown = live.command("countt", "refused", {"by": "x"})
    assert unknown["status"] == 400
    assert "count, " in unknown["message"].replace("'", ""), unknown
    large = live.command("change", "refused", {"text": "x" * 410_000})
    assert large["status"] == 413
    assert "410," in large["message"], large
    assert live.command("count", "refused", {"by": "x"}, expected_version=version + 7)["status"] == 409
    shown = live.api.call("GET /orders/refused")
    assert (shown.json["by"], shown.headers["ETag"]) == ([], f'"{version}"')


def test_an_aggregate_that_is_deleted_is_gone_and_goes_on_from_its_version(live: LiveOrders) -> None:
    version = live.place("back", customer="ann", lines={}).json["version"]
    gone = live.post("/orders/back/withdraw", "w-1")
    assert (gone.status, gone.json["version"]) == (200, version + 1)
    assert live.api.call("GET /orders/back").status == 404
    placed = live.post("/orders", "back-again", {"order_id": "back", "customer": "ben", "lines": {}})
    assert placed.json["version"] == version + 2


def test_of_fifty_commands_on_one_aggregate_none_is_lost_and_none_is_doubled(live: LiveOrders) -> None:
    """Half of them by the route, half directly; whoever is told to come again does, with the same id."""
    live.place("hot", customer="ann", lines={})

    def asked(number: int) -> int:
        id, body = f"hot-{number}", {"by": f"hot-{number}"}
        while True:
            if number % 2:
                answer = live.post("/orders/hot/count", id, body)
                status, said = answer.status, answer.json
            else:
                said = live.command("count", "hot", body, id=id)
                status = said.get("status", 200)
            if status == 200:
                return said["result"]["counted"]
            assert status in (409, 503), said

    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = list(threads.map(asked, range(COMMANDS)))
    by = live.get("/orders/hot")["by"]
    assert sorted(by) == sorted(f"hot-{number}" for number in range(COMMANDS))
    assert sorted(told) == list(range(1, COMMANDS + 1))
    assert [by[counted - 1] for counted in told] == [f"hot-{number}" for number in range(COMMANDS)]


def test_views_are_the_fold_of_the_log_whatever_comes_twice_and_in_whatever_order(live: LiveOrders) -> None:
    keys = [f"history-{number}" for number in range(8)]
    live.commands(history(1, keys, 48))
    for number in (0, 1):  # a row that goes from one aggregate to the other
        live.command(
            "place", f"owner-{number}", {"customer": "own", "lines": {}, "has": "row" if number == 0 else None}
        )
    live.command("change", "owner-0", {"has": None}, id="releases")
    live.command("change", "owner-1", {"has": "row"}, id="takes")
    chance = random.Random(2)
    told = [record for record in records(live, {*keys, "owner-0", "owner-1"}) for _ in range(chance.randrange(1, 4))]
    chance.shuffle(told)
    batches = [{"Records": told[start : start + 25]} for start in range(0, len(told), 25)]
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda batch: live.invoke(live.projector, batch), batches))
    assert {json.dumps(answer) for answer in answers} == {'{"batchItemFailures": []}'}
    if any(live.parked(view) for view in VIEWS):  # while both had the row
        live.ask(request="retry")
    settled(live)
    assert live.lines(SHARED) == [{"customer": SHARED, "line": "row", "by": "owner-1"}]


def test_a_document_is_what_its_function_builds_of_the_last_rows_and_totals(live: LiveOrders) -> None:
    live.place("dashboard", customer="ann", lines={"coffee": 12})

    def is_built() -> None:
        found = states(live).items()
        said = [row for key, state in found for row in rows({"order_id": key, **state}, fixed=True)]
        sold: dict[str, int] = {}
        for key, state in found:
            for line, measures in totals({"order_id": key, **state}, fixed=True).items():
                sold[line] = sold.get(line, 0) + int(measures["sold"])
        answer = live.api.call("GET /sales")
        assert answer.status == 200, answer.body
        assert answer.json == {"rows": sorted([row["customer"], row["line"]] for row in said), "sold": sold}

    eventually(is_built)


def test_a_query_with_a_token_shows_that_command(live: LiveOrders) -> None:
    for number in range(5):
        lines = {f"l{number}": number}
        name = "change" if number else "place"
        token = live.command(name, "mine", {"customer": "me", "lines": lines}, id=f"mine-{number}")["token"]
        shown = live.get(f"/customers/me/lines?min_version={token}")
        assert shown["rows"] == [{"customer": "me", "line": f"mine/l{number}", "amount": number}]
        assert live.get(f"/revenue/l{number}?min_version={token}")["sold"] == 1
    gone = live.command("withdraw", "mine")
    assert live.get(f"/customers/me/lines?min_version={gone['token']}")["rows"] == []
    assert live.api.call(f"GET /customers/me/lines?min_version={gone['version'] + 1}@mine").status == 400


def test_pages_follow_each_other_and_a_cursor_is_good_for_its_own_query_alone(live: LiveOrders) -> None:
    token = live.command("place", "paged", {"customer": "pat", "lines": {f"l{n}": n for n in range(7)}})["token"]
    first = live.get(f"/customers/pat/lines?limit=3&min_version={token}")
    second = live.get(f"/customers/pat/lines?limit=3&cursor={first['cursor']}")
    last = live.get(f"/customers/pat/lines?limit=3&cursor={second['cursor']}")
    seen = [row["line"] for page in (first, second, last) for row in page["rows"]]
    assert (seen, last["cursor"]) == ([f"paged/l{n}" for n in range(7)], None)
    backwards = live.get("/customers/pat/lines?limit=2&order=desc&prefix=paged/")
    assert [row["amount"] for row in backwards["rows"]] == [6, 5]
    content, _, signature = first["cursor"].partition(".")
    forged = [
        content,
        f"{content}.{signature[:-1]}",
        f"{content[:-1]}.{signature}",
        f"x{content}.{signature}",
        "%00",
        ".",
    ]
    asked = [f"/customers/pat/lines?limit=3&cursor={cursor}" for cursor in forged]
    asked += [f"/customers/ann/lines?cursor={first['cursor']}", f"/customers/pat/orders?cursor={first['cursor']}"]
    asked += [f"/customers/pat/lines?{bad}" for bad in ("limit=0", "limit=x", "order=up", "min_version=7", "color=red")]
    answers = {path: live.api.call(f"GET {path}").problem for path in asked}
    assert set(answers.values()) == {(400, "application/problem+json")}, answers


def test_what_a_function_refuses_is_parked_with_its_images_and_a_retry_brings_it(live: LiveOrders) -> None:
    version = live.command("place", "odd", {"customer": "fay", "lines": {"nut": 8}, "broken": True})["version"]
    live.command("place", "even", {"customer": "fay", "lines": {}})
    wait_until(lambda: live.parked(FRAGILE), WAIT_SECONDS, "the change to be parked")
    (parked,) = live.parked(FRAGILE)
    assert (parked["key"], parked["version"], parked["reason"]) == ("odd", version, "refused")
    body = live.cloud.client("s3").get_object(Bucket=live.bucket, Key=parked["object"])["Body"].read()
    kept = json.loads(body)
    assert (kept["old"], kept["new"]["customer"], kept["new"]["broken"]) == (None, {"S": "fay"}, {"BOOL": True})
    settled(live)  # other views have it
    eventually(lambda: same(live.get("/customers/fay/orders")["rows"], [{"order_id": "even"}]))
    late = live.api.call(f"GET /customers/fay/orders?min_version={version}@odd")
    assert (late.status, "Retry-After" in late.headers) == (503, True)
    assert "parked" in late.json["detail"], late.body
    live.deploy_mended()
    said = command_line(live, "retry", FRAGILE)
    assert (said["replayed"], said["left"]) == (1, 0), said
    assert live.parked(FRAGILE) == []
    eventually(lambda: same(live.get("/customers/fay/orders")["rows"], [{"order_id": "even"}, {"order_id": "odd"}]))


def same(found: list[Any], wanted: list[Any]) -> None:
    assert [{name: row[name] for name in like} for row, like in zip(found, wanted, strict=True)] == wanted, found


def command_line(live: LiveOrders, *arguments: str) -> Any:
    """`serverless-patterns view ...`"""
    verb, *rest = arguments
    ran = subprocess.run(
        [*VIEW, verb, live.control, *rest, "--yes", "--json"],
        env=live.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def test_lost_answers_and_throttles_lose_and_double_nothing(live: LiveOrders) -> None:
    by_customer = live.tables[ROWS]
    commits, counts = (f"contains(to_string(TransactItems), '{live.tables[name]}')" for name in (AGGREGATES, TOTALS))
    points = f"contains(to_string(RequestItems), '{live.tables[CONTROL]}')"
    with live.cloud.faults.inject(
        Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS - 1, body=commits),
        Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS - 1, body=counts),
        Fault.throttled("dynamodb", "PutItem", times=SDK_ATTEMPTS, resource=by_customer),
        Fault.lost_answer("dynamodb", "PutItem", times=SDK_ATTEMPTS, resource=by_customer),
        Fault.refused("dynamodb", "BatchGetItem", times=SDK_ATTEMPTS - 1, body=points),
    ):
        place = {"customer": "flo", "lines": {"a": 1, "b": 2}}
        answers = [live.command("place", f"fault-{number}", place) for number in range(4)]
        assert not [answer for answer in answers if "status" in answer or "replayed" in answer], answers
        counted = [live.command("count", "fault-0", {"by": str(n)}, id=f"fault-{n}") for n in range(3)]
        live.command("change", "fault-1", {"lines": {"b": 3, "c": 4}})
        settled(live)
    assert [answer["result"] for answer in counted] == [{"counted": n} for n in (1, 2, 3)]
    assert len(live.lines("flo")) == 8


def test_a_command_whose_every_answer_is_lost_was_done_once_and_says_so_when_it_is_sent_again(live: LiveOrders) -> None:
    version = live.place("unsure", customer="ann", lines={}).json["version"]
    with live.cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS)):
        lost = live.post("/orders/unsure/count", "unsure-1", {"by": "x"})
    again = live.post("/orders/unsure/count", "unsure-1", {"by": "x"})
    assert (again.status, again.json["version"]) == (200, version + 1), (lost.status, again.body)
    assert live.get("/orders/unsure")["by"] == ["x"]
    settled(live)


def test_a_projector_that_dies_in_the_midst_of_a_batch_has_left_nothing_out(live: LiveOrders) -> None:
    settled(live)
    begun, by_customer = time.time(), live.tables[ROWS]
    injection = live.cloud.faults.install(Fault.slow("dynamodb", "PutItem", seconds=2, resource=by_customer))
    live.command("place", "dies", {"customer": "eve", "lines": {f"l{n}": n for n in range(12)}})
    wait_until(lambda: injection.fired() > 0, WAIT_SECONDS, "the projector to write", interval_seconds=0.05)
    assert live.cloud.kill_function(live.projector)
    injection.clear()
    settled(live)
    assert len(live.lines("eve")) == 12
    assert live.cloud.errors(live.projector, since=begun), "it was killed in the midst of it"


def test_a_rebuild_meets_commands_and_readers_who_see_every_row_all_the_time(live: LiveOrders) -> None:
    """Then the old generation is dropped, and whoever reads on in it is told to begin again."""
    steady = [
        ("place", f"steady-{n}", {"customer": "ron", "lines": {f"l{m}": m for m in range(4)}}, "") for n in range(6)
    ]
    live.commands(steady)
    settled(live)
    wanted = {f"steady-{n}/l{m}" for n in range(6) for m in range(4)}
    before = live.standing(ROWS)["live"]
    page = live.get("/customers/ron/lines?limit=5")
    scans = Fault.slow("dynamodb", "Scan", seconds=0.5, resource=live.tables[AGGREGATES])
    over, seen = threading.Event(), list[set[str]]()

    def read() -> None:
        while not over.is_set():
            seen.append({row["line"] for row in live.lines("ron")})

    def write() -> int:
        for number in count():
            key = f"moving-{number % 3}"
            lines = {f"l{number % 5}": number}
            live.command("place", key, {"customer": "ron", "lines": lines}, id=f"m-{number}")
            live.command("change", key, {"lines": {"x": number}}, id=f"n-{number}")
            live.command("withdraw", key, id=f"o-{number}")
            if over.is_set():
                return number
        raise AssertionError

    with ThreadPoolExecutor(2) as threads, live.cloud.faults.inject(scans):
        reading, writing = threads.submit(read), threads.submit(write)
        try:
            done = command_line(live, "rebuild", ROWS, "--by", "rita")
        finally:
            over.set()
        reading.result()
        assert writing.result() > 0
    standing = live.standing(ROWS)
    assert (standing["live"], standing["building"], standing["previous"]) == (before + 1, None, before), done
    assert (standing["progress"]["differences"], standing["by"]) == (0, "rita")
    assert len(seen) > 1
    assert all(lines >= wanted for lines in seen), [len(lines) for lines in seen]
    settled(live)
    onward = f"/customers/ron/lines?limit=5&cursor={page['cursor']}"
    assert live.api.call(f"GET {onward}").status == 200
    live.put_back(ROWS, "dropping", seconds=7200)
    live.ask(request="sweep")
    wait_until(lambda: live.standing(ROWS)["previous"] is None, WAIT_SECONDS, "the old generation to be dropped")
    eventually(lambda: none_of(live, before))
    # Two hours ago it was moved: a reader may still remember, for seconds, which generations there are.
    wait_until(lambda: live.api.call(f"GET {onward}").status == 410, WAIT_SECONDS, "the cursor to be of no use")
    assert {row["line"] for row in live.lines("ron")} >= wanted


def none_of(live: LiveOrders, generation: int) -> None:
    found: Any = live.dynamodb.scan(TableName=live.tables[ROWS], ConsistentRead=True)["Items"]
    assert not [item for item in found if item["pk"]["S"].startswith(f"{generation}#")]
    assert found
