"""Without any one of these safeguards a story or a test fails: each has been seen to."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns_runtime.api_proxy import once
from serverless_patterns_runtime.api_proxy.exchange import Exchange
from serverless_patterns_runtime.circuit_breaker import circuit_breaker, store
from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.permit import Permit
from serverless_patterns_runtime.circuit_breaker.store import StoreUnavailable
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.load_leveled_queue import consumption, trials, visibility
from serverless_patterns_runtime.load_leveled_queue.intake import Intake

from ..runtime.api_proxy import test_refused_calls as api
from ..runtime.circuit_breaker import test_circuit_breaker as one
from ..runtime.circuit_breaker.fleet import Fleet
from ..runtime.load_leveled_queue import test_intake as intake
from . import test_api_breaker_stories as apis
from . import test_breaker_stories as stories
from .world import Account

Patch = pytest.MonkeyPatch
Story = Callable[[], object]


def probe_by_anybody(patch: Patch) -> None:
    patch.setattr(
        store.Store,
        "claim_probe",
        lambda self, prober, now, until: self._update(
            "SET #prober = :prober, #probe_until = :until",
            "#state = :open AND #open_until <= :now",
            {":prober": {"S": prober}, ":until": store._time(until), ":now": store._time(now), ":open": {"S": "open"}},
        ),
    )


def no_cool_down(patch: Patch) -> None:
    original = store.Store.open
    patch.setattr(store.Store, "open", lambda self, seen, now, _: original(self, seen, now, now))


def probers_that_never_count_as_dead(patch: Patch) -> None:
    patch.setattr(
        store.Store,
        "claim_probe",
        lambda self, prober, now, until: self._update(
            "SET #prober = :prober, #probe_until = :until",
            "#state = :open AND #open_until <= :now AND attribute_not_exists(#prober)",
            {":prober": {"S": prober}, ":until": store._time(until), ":now": store._time(now), ":open": {"S": "open"}},
        ),
    )


def no_fence(patch: Patch) -> None:
    def unfenced(self: Any, _: str, changes: str, values: Any) -> Any:
        return self._update(changes, "#epoch >= :any", {**values, ":any": {"N": "0"}})

    patch.setattr(store.Store, "_as_prober", unfenced)


def failures_of_any_epoch(patch: Patch) -> None:
    def count(self: Any, _: int, error: BaseException) -> None:
        for _ in range(3):
            try:
                return self._count_once(error)
            except store.Beaten as beaten:
                self._see(beaten.found)
                if self._seen.open:
                    return None
        return None

    patch.setattr(CircuitBreaker, "_count", count)


def failures_without_a_window(patch: Patch) -> None:
    original = CircuitBreaker._count_once

    def forever(self: Any, error: BaseException) -> None:
        self._settings = {**self._settings, "window_seconds": 1e12}
        original(self, error)

    patch.setattr(CircuitBreaker, "_count_once", forever)


def failures_over_what_is_there(patch: Patch) -> None:
    patch.setattr(
        store, "_as_seen", lambda seen: ("(attribute_not_exists(#epoch) OR #epoch = :epoch)", _epoch_of(seen))
    )


def _epoch_of(seen: Any) -> dict[str, Any]:
    return {":epoch": {"N": str(seen.epoch)}}


def no_margin_for_clocks(patch: Patch) -> None:
    patch.setattr(circuit_breaker, "CLOCK_SKEW_SECONDS", 0)


def no_going_on_without_the_table(patch: Patch) -> None:
    def failed(_: CircuitBreaker, failure: StoreUnavailable) -> None:
        raise AssertionError("the breaker is the outage") from failure

    patch.setattr(CircuitBreaker, "_store_failed", failed)


def no_pause_for_the_table(patch: Patch) -> None:
    patch.setattr(circuit_breaker, "STORE_PAUSE_SECONDS", 0.0)


def no_cache(patch: Patch) -> None:
    patch.setattr(CircuitBreaker, "_knows_enough", lambda *_: False)


def one_try_for_a_verdict(patch: Patch) -> None:
    patch.setattr(circuit_breaker, "VERDICT_TRIES", 1)


def probes_that_are_not_given_back(patch: Patch) -> None:
    patch.setattr(Permit, "__exit__", lambda *_: None)


def a_crowd_that_is_let_through(patch: Patch) -> None:
    original = store.StoreUnavailable.__init__
    patch.setattr(store.StoreUnavailable, "__init__", lambda self, *, busy: original(self, busy=False))  # noqa: ARG005


def no_hold(patch: Patch) -> None:
    def ask_once(self: Any) -> None:
        try:
            self._first = self._breaker.permit(self._remaining)
        except CircuitOpen as refusal:
            self.refusal = refusal

    patch.setattr(Intake, "hold", ask_once)


def probes_as_attempts(patch: Patch) -> None:
    judged = lambda self, message, attempt, _, verdict: self._judged(message, attempt, verdict)  # noqa: E731
    patch.setattr(trials.Trials, "_blamed", judged)


def failures_excused_while_it_is_open_alone(patch: Patch) -> None:
    def excuse(self: Any, _: Permit) -> CircuitOpen | None:
        seen = self._seen
        refused = seen.open and self._clock() < seen.open_until
        return CircuitOpen(seen.open_until, seen.opened_at) if refused else None

    patch.setattr(CircuitBreaker, "_excuse_for", excuse)


def failures_that_open_it_as_no_attempts(patch: Patch) -> None:
    patch.setattr(Permit, "opened", property(lambda _: False, lambda *_: None), raising=False)


def last_tries_that_ask_nobody(patch: Patch) -> None:
    patch.setattr(Permit, "suspect", lambda _: None)


def tries_that_a_suspicion_does_not_give_back(patch: Patch) -> None:
    patch.setattr(trials.AttemptLimit, "excuse", lambda *_: None)


def excuses_without_end(patch: Patch) -> None:
    original = trials.AttemptLimit.number_of
    patch.setattr(trials.AttemptLimit, "number_of", lambda *given: original(*given)._replace(excused=False))


def a_suspicion_that_waits_for_a_cool_down(patch: Patch) -> None:
    original = store.Store.open
    patch.setattr(store.Store, "open", lambda self, seen, now, _: original(self, seen, now, now + 30.0))


def messages_that_are_kept_until_they_vanish(patch: Patch) -> None:
    patch.setattr(Account, "oldest", property(lambda _: 0))


def attempts_that_are_not_taken_back(patch: Patch) -> None:
    patch.setattr(trials.AttemptLimit, "withdraw", lambda *_: None)


def a_native_limit_for_attempts_alone(patch: Patch) -> None:
    patch.setattr(Account, "native_receive_count", property(lambda self: self.max_receive_count))


def waits_that_do_not_grow(patch: Patch) -> None:
    patch.setattr(visibility, "SHARE_OF_OUTAGE", 0.0)


def claims_before_the_breaker(patch: Patch) -> None:
    def refused(self: Any, request: Any, claim: Any, breaker: Any, refusal: CircuitOpen) -> Any:  # noqa: ARG001
        def refuse(*_: Any) -> Any:
            raise refusal

        return self._execution().run(claim, self._envelope.request_id, refuse)

    patch.setattr(Exchange, "_refused", refused)


def fallbacks_that_are_kept(patch: Patch) -> None:
    def refused(self: Any, request: Any, claim: Any, *_: Any) -> Any:
        fallback = self._edge.fallbacks[self._route_name]
        call = lambda claim, attempt: self._call(fallback, request, claim, attempt)  # noqa: E731
        return self._execution().run(claim, self._envelope.request_id, call)

    patch.setattr(Exchange, "_refused", refused)


def refusals_that_look_up_nothing(patch: Patch) -> None:
    patch.setattr(once.Execution, "known", lambda *_: None)


def leases_before_the_breaker(patch: Patch) -> None:
    def begin(self: Any, work: Any, firsts: Any) -> None:
        work.begin([delivery.request for delivery in firsts])
        self._intake.hold()

    patch.setattr(consumption.Consumption, "_begin", begin)


LONG = "effects, FIFO"


def long_outage() -> None:
    stories.test_an_outage_of_ten_times_receives_times_visibility_leaves_no_dead_letter(LONG)


def with_fleet(test: Callable[[Fleet], None]) -> Story:
    return lambda: test(Fleet())


CASES: dict[str, tuple[Callable[[Patch], None], Story]] = {
    "one claim on the probe": (
        probe_by_anybody,
        with_fleet(one.test_of_twenty_at_the_end_of_the_cool_down_one_calls),
    ),
    "no call before the end of the cool-down": (
        no_cool_down,
        with_fleet(one.test_open_nothing_reaches_the_downstream_and_nobody_asks_the_table),
    ),
    "a prober that counts as dead when its time is over": (
        probers_that_never_count_as_dead,
        with_fleet(one.test_a_verdict_that_cannot_be_said_is_not_the_caller_s_trouble),
    ),
    "the fence of a probe": (
        no_fence,
        with_fleet(lambda fleet: one.test_a_prober_that_counts_as_dead_is_fenced_off(fleet, None)),
    ),
    "failures count for their own epoch": (
        failures_of_any_epoch,
        one.test_a_call_that_began_before_it_opened_and_closed_again_counts_for_nothing,
    ),
    "failures older than the window are forgotten": (
        failures_without_a_window,
        with_fleet(one.test_failures_further_apart_than_the_window_never_open_it),
    ),
    "a probe's margin for clocks": (
        no_margin_for_clocks,
        with_fleet(one.test_after_a_prober_s_death_exactly_one_other_probes_and_not_before_its_time_is_over),
    ),
    "failures are counted over what was read": (
        failures_over_what_is_there,
        with_fleet(one.test_failures_counted_at_the_same_moment_are_all_counted),
    ),
    "calls go on without the table": (
        no_going_on_without_the_table,
        lambda: stories.test_when_the_breaker_s_table_is_down_work_goes_on("leases"),
    ),
    "a table that fails is left alone for a while": (
        no_pause_for_the_table,
        lambda: one.test_without_its_table_every_call_is_made_and_one_request_a_while_is_in_vain(one.TIMEOUT),
    ),
    "one look a cache age": (
        no_cache,
        with_fleet(one.test_closed_it_asks_once_a_cache_age_and_a_success_costs_nothing_more),
    ),
    "a verdict is said again": (
        one_try_for_a_verdict,
        with_fleet(one.test_a_verdict_whose_answer_was_lost_is_said_again),
    ),
    "a probe that calls nothing is given back": (
        probes_that_are_not_given_back,
        with_fleet(one.test_a_probe_that_calls_nothing_is_free_for_others_at_once),
    ),
    "a throttled crowd waits": (
        a_crowd_that_is_let_through,
        with_fleet(one.test_a_crowd_that_claims_the_probe_and_is_throttled_waits_instead_of_calling),
    ),
    "the batch is held": (no_hold, lambda: stories.test_while_open_the_backlog_stands_still("effects")),
    "a probe in vain is no attempt": (probes_as_attempts, long_outage),
    "an attempt that was none is taken back": (attempts_that_are_not_taken_back, long_outage),
    "what began before it opened is no attempt": (
        failures_excused_while_it_is_open_alone,
        intake.test_a_call_that_outlasts_the_cool_down_of_a_breaker_that_opened_meanwhile_was_no_attempt,
    ),
    "a failure that opens it is an attempt": (
        failures_that_open_it_as_no_attempts,
        intake.test_a_message_whose_every_failure_opens_the_breaker_is_a_dead_letter_all_the_same,
    ),
    "the last try asks the breaker": (
        last_tries_that_ask_nobody,
        lambda: stories.test_a_lone_message_whose_tries_never_fall_into_one_window_survives_the_outage(LONG),
    ),
    "who is excused has all its tries again": (
        tries_that_a_suspicion_does_not_give_back,
        lambda: stories.test_a_lone_message_whose_tries_never_fall_into_one_window_survives_the_outage(LONG),
    ),
    "a message is excused once": (
        excuses_without_end,
        lambda: stories.test_poison_among_healthy_work_is_a_dead_letter_in_minutes_and_stops_nobody("effects"),
    ),
    "a suspicion stops nobody": (
        a_suspicion_that_waits_for_a_cool_down,
        lambda: stories.test_poison_among_healthy_work_is_a_dead_letter_in_minutes_and_stops_nobody("effects"),
    ),
    "an age that ends before the queue's": (
        messages_that_are_kept_until_they_vanish,
        lambda: stories.test_poison_that_is_alone_is_a_dead_letter_before_it_would_vanish("effects"),
    ),
    "a native limit that refusals do not reach": (a_native_limit_for_attempts_alone, long_outage),
    "waits grow with the outage": (waits_that_do_not_grow, long_outage),
    "no lease while refused": (
        leases_before_the_breaker,
        lambda: intake.test_while_open_nothing_is_called_claimed_or_counted(intake.Shipping()),
    ),
    "no claim while refused": (
        claims_before_the_breaker,
        lambda: api.test_refused_it_is_answered_503_with_the_seconds_until_the_next_call_and_nothing_is_claimed(
            Fleet(), False, "k"
        ),
    ),
    "a fallback's answer is not kept": (
        fallbacks_that_are_kept,
        with_fleet(api.test_the_fallback_answers_and_nothing_is_kept_under_the_key),
    ),
    "behind an API: no claim while refused": (
        claims_before_the_breaker,
        lambda: apis.test_an_outage_burns_no_key_and_every_request_is_done_once_after_it("leases", 0),
    ),
    "behind an API: one claim on the probe": (
        probe_by_anybody,
        lambda: apis.test_of_many_callers_at_the_end_of_the_cool_down_one_is_let_through("leases", 0),
    ),
    "behind an API: a prober that counts as dead when its time is over": (
        probers_that_never_count_as_dead,
        lambda: apis.test_the_key_of_a_probe_whose_function_dies_is_done_and_exactly_one_other_probes("effects", 0),
    ),
    "behind an API: a probe that calls nothing is given back": (
        probes_that_are_not_given_back,
        lambda: apis.test_a_probe_that_finds_its_key_done_leaves_the_probe_to_others("leases", 0),
    ),
    "behind an API: what was answered is looked up": (
        refusals_that_look_up_nothing,
        lambda: apis.test_what_was_answered_is_answered_again_while_it_is_open("leases", 0),
    ),
    "behind an API: a fallback's answer is not kept": (
        fallbacks_that_are_kept,
        lambda: apis.test_the_fallback_answers_at_once_and_who_comes_back_gets_the_real_answer("leases", 0),
    ),
    "behind an API: calls go on without the table": (
        no_going_on_without_the_table,
        lambda: apis.test_without_the_breaker_s_table_an_api_goes_on("leases"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_without_it_something_fails(name: str, monkeypatch: Patch) -> None:
    take_out, story = CASES[name]
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        story()


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/circuit_breaker.md").read_text()
    assert re.findall(r"^- ([^*`].*)$", page[page.index("## Safeguards") :], re.MULTILINE) == [*CASES]
