"""`CircuitBreaker` as deployed: the synthesised template, the shipped layer, a partner with outages, roles enforced."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns.testing import Deployment, EmbeddedCloud, Fault, Injection, wait_until
from serverless_patterns_runtime.circuit_breaker.circuit_breaker import STORE_PAUSE_SECONDS
from tests.live.breaker_stack import OPEN_SECONDS, THRESHOLD, TRIES, BreakerStack
from tests.live.fake_partner import Partner, fake_partner
from tests.live.queue_stack import LiveQueue, reason_of
from tests.live.rest_calls import Api

MANY = 20
ATTEMPTS = 5
PATIENCE_SECONDS = 30
UNGUARDED = "calls go on unguarded"
"""What a function logs when the table does not answer in time, as on a machine that is too busy."""


class LiveBreaker:
    """One deployed breaker, with what it guards."""

    def __init__(self, cloud: EmbeddedCloud, folder: Path, partner: Partner, last: ExitStack) -> None:
        """`last`: takes the stack away."""
        self.cloud = cloud
        self.partner = partner
        self.version = 0
        self._folder, self._last = folder, last
        deployment = self.deploy()
        self.named = deployment.physical_id
        self.api = Api(deployment.url(self.stack.api))
        self.queue = LiveQueue(cloud, deployment, self.stack, self.stack.shipping)

    def deploy(self) -> Deployment:
        """Every function anew; the second time the same stack is updated."""
        self.version += 1
        app = self.cloud.app(self._folder / f"cdk.out{self.version}")
        self.stack = BreakerStack(app, "Breakers", self.partner.url, version=self.version)
        return self._last.enter_context(self.cloud.deploy(app))

    def table(self, name: str) -> str:
        return self.named(getattr(self.stack, name.lower()).table)

    def item(self, name: str) -> dict[str, Any]:
        """The breaker's item; empty before its first failure."""
        key: Any = {"breaker": {"S": name}}
        client = self.cloud.client("dynamodb")
        item = client.get_item(TableName=self.table(name), Key=key, ConsistentRead=True).get("Item", {})
        return {name: float(value["N"]) if "N" in value else next(iter(value.values())) for name, value in item.items()}

    def unguarded(self, *, since: float) -> bool:
        """Whether the table did not answer some function that asks for quotes."""
        return any("CircuitStoreUnavailable" in line for line in self.logged(self.quote, since=since))

    def reset(self) -> None:
        """As if nothing had failed yet. Functions remember for how long they are not to ask, so that is waited for."""
        self.partner.comes_back()
        self.partner.forget()
        for name in ("Quotes", "Payments", "Bookings"):
            self.wait_cool_down(name)
            self.cloud.client("dynamodb").delete_item(TableName=self.table(name), Key={"breaker": {"S": name}})

    def open(self, name: str, route: str, body: Any = None) -> None:
        """An outage that opens it just now."""
        self.partner.goes_down()

        def is_open() -> bool:
            status = self.api.call(route, body, {"Idempotency-Key": f"opens-{time.time_ns()}"}).status
            assert status in (500, 503)
            item = self.item(name)
            return item.get("state") == "open" and item["open_until"] - time.time() > OPEN_SECONDS / 2

        wait_until(is_open, PATIENCE_SECONDS, f"{name} to be open", interval_seconds=0.01)

    def wait_cool_down(self, name: str) -> None:
        until = self.item(name).get("open_until", 0)
        wait_until(lambda: time.time() > until, PATIENCE_SECONDS, "the cool-down to end", interval_seconds=0.05)

    def mapping(self) -> tuple[str, str]:
        """Which feeds the queue's messages to its function, and whether it does."""
        client = self.cloud.client("lambda")
        (found,) = client.list_event_source_mappings(FunctionName=self.queue.function_name)["EventSourceMappings"]
        return found["UUID"], found["State"]

    @property
    def quote(self) -> Any:
        return self.stack.api.function_for("GET /quotes/{id}")

    def logged(self, function: Any, *, since: float = 0) -> list[str]:
        return [line for line in self.cloud.logs(self.named(function), since=since) if line.startswith("{")]


@pytest.fixture(scope="module")
def deployed(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveBreaker]:
    with fake_partner() as partner, ExitStack() as last:
        yield LiveBreaker(embedded_cloud, tmp_path_factory.mktemp("breaker"), partner, last)


@pytest.fixture
def live(deployed: LiveBreaker) -> LiveBreaker:
    deployed.reset()
    return deployed


def test_an_open_breaker_calls_nothing(live: LiveBreaker) -> None:
    assert live.api.call("GET /quotes/tea").status == 200
    live.open("Quotes", "GET /quotes/tea")
    asked = live.partner.times()
    assert {answer.status for answer in live.api.at_once(3, "GET /quotes/tea")} == {503}
    assert live.partner.times() == asked >= 1 + THRESHOLD


def test_an_open_breaker_answers_503_and_says_when_to_come_back(live: LiveBreaker) -> None:
    live.open("Quotes", "GET /quotes/tea")
    answer = live.api.call("GET /quotes/tea")
    assert answer.problem == (503, "application/problem+json")
    assert 1 <= int(answer.headers["Retry-After"]) <= OPEN_SECONDS + 1


def test_what_the_partner_answers_is_no_failure(live: LiveBreaker) -> None:
    statuses = [live.api.call("GET /quotes/unknown").status for _ in range(2 * THRESHOLD)]
    assert statuses == [404] * 2 * THRESHOLD
    assert live.item("Quotes") == {}, "a success costs no write, and neither does a refused request"


def test_the_fallback_answers(live: LiveBreaker) -> None:
    live.open("Quotes", "GET /quotes/tea")
    asked = live.partner.times()
    answer = live.api.call("GET /known-quotes/tea")
    assert (answer.status, answer.json, answer.headers["X-From"]) == (200, {"price": 490, "of": "tea"}, "memory")
    assert live.partner.times() == asked


def test_one_breaker_of_a_table_leaves_its_neighbour_alone(live: LiveBreaker) -> None:
    live.open("Quotes", "GET /quotes/tea")
    live.partner.comes_back()
    assert live.api.call("POST /payments", {"id": "neighbour"}, {"Idempotency-Key": "neighbour"}).status == 201


def test_a_refused_key_is_free_and_works_after_the_outage(live: LiveBreaker) -> None:
    live.open("Payments", "POST /payments", {"id": "opens"})
    key = {"Idempotency-Key": f"refused-{time.time_ns()}"}
    assert live.api.call("POST /payments", {"id": "refused"}, key).status == 503
    live.partner.comes_back()
    live.wait_cool_down("Payments")
    answers = [live.api.call("POST /payments", {"id": "refused"}, key) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert live.queue.marks(["refused"])["refused"]["times"] == 1


def test_the_fallback_s_answer_is_not_kept_under_the_key(live: LiveBreaker) -> None:
    live.open("Payments", "POST /payments", {"id": "opens"})
    key = {"Idempotency-Key": f"later-{time.time_ns()}"}
    answer = live.api.call("POST /orders", {"id": "later"}, key)
    assert (answer.status, answer.json) == (202, {"later": "later"})
    live.partner.comes_back()
    live.wait_cool_down("Payments")
    answer = live.api.call("POST /orders", {"id": "later"}, key)
    assert (answer.status, answer.json) == (201, {"paid": "later"})


def test_a_completed_key_is_answered_during_the_outage(live: LiveBreaker) -> None:
    key = {"Idempotency-Key": f"completed-{time.time_ns()}"}
    assert live.api.call("POST /payments", {"id": "completed"}, key).status == 201
    live.open("Payments", "POST /payments", {"id": "opens"})
    answer = live.api.call("POST /payments", {"id": "completed"}, key)
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (201, "true")


def test_twenty_functions_at_the_end_of_the_cool_down_make_one_call(live: LiveBreaker) -> None:
    live.api.at_once(MANY, "GET /quotes/warm")
    for _ in range(ATTEMPTS):
        # A function that waits 200 ms for the table goes on without, and for a while asks it no more; on a busy machine
        # that is no rare thing.
        wait_until(
            lambda: not live.unguarded(since=time.time() - STORE_PAUSE_SECONDS),
            PATIENCE_SECONDS,
            "every function to ask the table again",
        )
        begun = time.time()
        calls, statuses = a_cool_down_ends(live)
        if not live.unguarded(since=begun):
            break
    else:
        pytest.fail(f"{ATTEMPTS} times the table did not answer {MANY} functions in time: nothing is shown")
    assert calls == 1
    assert sorted(statuses) == [200] + [503] * (MANY - 1)
    assert live.item("Quotes")["state"] == "closed"


def a_cool_down_ends(live: LiveBreaker) -> tuple[int, list[int]]:
    """And so many ask at once, while the partner is slow: how often it was asked until all others had their answer."""
    live.open("Quotes", "GET /quotes/tea")
    live.partner.comes_back()
    live.wait_cool_down("Quotes")
    live.partner.forget()

    def is_everybody_through() -> bool:
        return sum(one.done() for one in asked) + live.partner.times("/quotes/probe") >= MANY

    with ThreadPoolExecutor(MANY) as threads:
        with live.partner.holding():
            asked = [threads.submit(live.api.call, "GET /quotes/probe") for _ in range(MANY)]
            wait_until(is_everybody_through, PATIENCE_SECONDS, "all but those that probe to be answered")
            calls = live.partner.times("/quotes/probe")
        return calls, [one.result().status for one in asked]


def test_a_failed_probe_opens_for_another_cool_down(live: LiveBreaker) -> None:
    live.open("Quotes", "GET /quotes/tea")
    first = live.item("Quotes")
    live.wait_cool_down("Quotes")
    assert live.api.call("GET /quotes/probe").status == 500
    again = live.item("Quotes")
    assert (again["state"], again["opened_at"]) == ("open", first["opened_at"])
    assert again["open_until"] > first["open_until"]
    assert live.api.call("GET /quotes/probe").status == 503
    assert live.partner.times("/quotes/probe") == 1


def test_an_outage_leaves_no_dead_letters_and_everything_is_processed_after_it(live: LiveBreaker) -> None:
    live.partner.goes_down()
    live.queue.send([{"id": "outage-first"}])
    # One failure has opened it, and then every try of the message would be used up, were a probe in vain one.
    wait_until(lambda: live.item("Bookings").get("epoch", 0) > TRIES, 180, f"{TRIES} probes in vain")
    ids = ["outage-first", *(f"outage-{n}" for n in range(5))]
    live.queue.send([{"id": id} for id in ids[1:]])
    assert live.queue.depth(live.queue.dead_letter_url) == 0
    assert live.queue.depth(live.queue.url) == len(ids)
    live.partner.comes_back()
    live.queue.wait_drained()
    assert {id: mark["times"] for id, mark in live.queue.marks(ids).items()} == dict.fromkeys(ids, 1.0)
    assert live.queue.depth(live.queue.dead_letter_url) == 0
    assert live.item("Bookings")["state"] == "closed"


def test_a_deployment_in_the_middle_of_an_outage_undoes_nothing(live: LiveBreaker) -> None:
    """The functions are new, and remember nothing; the mapping is switched by nobody. What is open stays so."""
    ids = [f"deployed-{n}" for n in range(30)]
    live.partner.goes_down()
    live.queue.send([{"id": id} for id in ids])
    wait_until(lambda: live.item("Bookings").get("state") == "open", PATIENCE_SECONDS, "Bookings to be open")
    before, mapping, begun = live.item("Bookings"), live.mapping(), time.time()
    live.partner.forget()
    live.deploy()
    probed = live.item("Bookings")["epoch"]
    wait_until(lambda: live.item("Bookings")["epoch"] > probed, PATIENCE_SECONDS, "a probe of the new function")
    assert (live.item("Bookings")["state"], live.item("Bookings")["opened_at"]) == ("open", before["opened_at"])
    assert live.mapping() == mapping, "as it was, and enabled"
    assert live.partner.times() <= time.time() - begun + 1, "a call a second at most, of thirty messages that want one"
    assert live.queue.depth(live.queue.url) == len(ids), "no message is done, or a dead letter"
    live.partner.comes_back()
    live.queue.wait_drained()
    assert live.queue.depth(live.queue.dead_letter_url) == 0
    marks = live.queue.marks(ids)
    assert {id: marks[id]["times"] for id in ids} == dict.fromkeys(ids, 1.0)
    assert {marks[id]["version"] for id in ids} == {str(live.version)}
    unguarded = sum(UNGUARDED in line for line in live.cloud.logs(live.queue.function_name, since=begun))
    assert max(marks[id]["attempt"] for id in ids) <= 2 + unguarded, "an attempt is a call that no breaker refused"
    assert live.item("Bookings")["state"] == "closed"


def test_a_crashed_prober_leaves_exactly_one_new_probe(live: LiveBreaker) -> None:
    live.partner.goes_down()
    live.queue.send([{"id": f"crash-{n}"} for n in range(5)])
    wait_until(lambda: live.item("Bookings").get("state") == "open", PATIENCE_SECONDS, "Bookings to be open")
    live.partner.comes_back()
    with live.partner.holding():
        live.partner.forget()
        wait_until(lambda: live.partner.times() == 1, 60, "a probe")
        first = live.item("Bookings")["prober"]
        assert live.cloud.kill_function(live.queue.function_name)
        wait_until(lambda: live.item("Bookings")["prober"] != first, 60, "another prober")
        wait_until(lambda: live.partner.times() == 2, 60, "its probe")
    live.queue.wait_drained()
    letters = live.queue.take_dead_letters(live.queue.depth(live.queue.dead_letter_url))
    assert [reason_of(letter) for letter in letters] == []


@pytest.mark.parametrize("fault", ["slow", "refused"])
def test_calls_go_on_when_the_breaker_s_table_does_not_answer(live: LiveBreaker, fault: str) -> None:
    how: dict[str, Any] = {"seconds": 10} if fault == "slow" else {}
    broken = getattr(Fault, fault)("dynamodb", "GetItem", resource=live.table("Quotes"), **how)
    took: list[float] = []

    def goes_on(injected: Injection) -> bool:
        begun = time.monotonic()
        assert live.api.call("GET /unguarded-quotes/tea").status == 200
        took.append(time.monotonic() - begun)
        return injected.fired() > 0  # a function asks again five seconds after it has failed

    with live.cloud.faults.inject(broken) as injected:
        wait_until(lambda: goes_on(injected), PATIENCE_SECONDS, "the breaker to look at its item")
        injected.assert_fired()
    assert max(took) < 5, "nobody waited for the table"
    function = live.stack.api.function_for("GET /unguarded-quotes/{id}")
    assert any("CircuitStoreUnavailable" in line for line in live.logged(function))


def test_transitions_are_logged_without_a_payload(live: LiveBreaker) -> None:
    live.open("Quotes", "GET /quotes/a-secret-thing")
    lines = live.logged(live.quote)
    assert [line for line in lines if '"circuit"' in line and '"to":"open"' in line]
    assert [line for line in lines if "a-secret-thing" in line] == []
    assert any("CircuitOpened" in line for line in lines)
