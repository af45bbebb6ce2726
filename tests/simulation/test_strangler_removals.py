"""Without any one of these safeguards of a gateway's control a story or a test fails: each has been seen to."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serverless_patterns.cli import _routes
from serverless_patterns.cli._asked_function import Role
from serverless_patterns_runtime.strangler_gateway import (
    breakers,
    changes,
    comparison,
    contract,
    controlling,
    counting,
    handler,
    pins,
    placement,
    shadow,
    shadow_handler,
    shares,
    standing,
    sweeping,
)
from serverless_patterns_runtime.strangler_gateway.standing import Standing

from ..runtime import test_route_commands as commands
from ..runtime.strangler_gateway import test_comparison as compared
from ..runtime.strangler_gateway import test_control as control
from ..runtime.strangler_gateway import test_pins as pinned
from ..runtime.strangler_gateway import test_placement as places
from ..runtime.strangler_gateway import test_rollback as rollback
from ..runtime.strangler_gateway import test_shadow as shadows
from ..runtime.strangler_gateway import test_shares as known
from ..runtime.strangler_gateway import test_sweeping as swept
from ..runtime.strangler_gateway.gateway import OTHER, ROUTE, Gateway, migration, route_settings
from ..runtime.strangler_gateway.raw_server import raw_server
from . import test_strangler_stories as stories
from .strangler_world import ORDERS

Patch = pytest.MonkeyPatch
Story = Callable[[Patch], object]


def setting(where: Any, name: str, value: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(where, name, value)


def plain(story: Callable[[], object]) -> Story:
    return lambda _: story()


def over(initial: float, test: Callable[[Gateway], object]) -> Story:
    code = migration({ROUTE: route_settings(initial_percent=initial), OTHER: route_settings()})
    return lambda _: test(Gateway(code))


def rolling(test: Callable[..., object], *more: Any) -> Story:
    return over(50.0, lambda gateway: test(gateway, *more))


def knowing(test: Callable[..., object], *more: Any) -> Story:
    return over(10.0, lambda gateway: test(gateway, *more))


def removed(test: Callable[..., object], *more: Any) -> Story:
    def story(_: Patch) -> None:
        gateway = Gateway(swept.WITH)
        gateway.does("set", percent=30)
        gateway.does("kill", reason="prices are wrong")
        gateway.code = swept.WITHOUT
        test(gateway, *more)

    return story


class Heard:
    """Stands for pytest's `capsys`: what was printed since it was last asked."""

    def __init__(self, printed: io.StringIO) -> None:
        self._printed = printed

    def readouterr(self) -> SimpleNamespace:
        text = self._printed.getvalue()
        self._printed.seek(0)
        self._printed.truncate()
        return SimpleNamespace(out=text, err="")


@contextlib.contextmanager
def printed() -> Iterator[Any]:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        yield Heard(text)


def shadowed(test: Callable[..., object], *more: Any) -> Story:
    def story(_: Patch) -> None:
        with raw_server() as server, printed() as heard:
            test(shadows.Shadowed(server, heard), *more)

    return story


def on_a_server(test: Callable[..., object], *more: Any) -> Story:
    def story(_: Patch) -> None:
        with raw_server() as server, printed() as heard:
            test(server, heard, *more)

    return story


# What is taken out.


def hash_of_chance(patch: Patch) -> None:
    patch.setattr(placement, "bucket", lambda *_: places.CHANCE.randrange(10_000))


def a_login_s_names_first(patch: Patch) -> None:
    original = placement.placed

    def placed(migration: Any, route: Any, arrival: Any, *more: Any) -> Any:
        named = arrival.claims.get("sub") or placement._named(route["sticky"], arrival)
        cookies = {**arrival.cookies, **({migration["cookie"]: named} if named else {})}
        renamed = SimpleNamespace(cookies=cookies, claims=arrival.claims, all=arrival.all)
        return original(migration, route, renamed, *more)

    patch.setattr(places, "placed", placed)


def no_cookie_of_a(kind: str) -> Callable[[Patch], None]:
    original = placement.placed

    def placed(*given: Any) -> Any:
        found = original(*given)
        of_it = found.set_cookie and f"={kind}-" in found.set_cookie
        return found._replace(set_cookie=None) if of_it else found

    return setting(places, "placed", placed)


def any_side_that_is_asked_for(patch: Patch) -> None:
    patch.setattr(placement, "_forced", lambda _, arrival: (arrival.all("X-Side") or [None])[0])


def pins_of_whoever_comes_last(patch: Patch) -> None:
    side = pins.Pins.side

    def last(self: Any, route: str, key: str, wanted: Any) -> Any:
        side(self, route, key, wanted)
        return wanted

    patch.setattr(pins.Pins, "side", last)


def pins_that_do_not_live_on(patch: Patch) -> None:
    original = pins.Pins.side

    def once(self: Any, *given: Any) -> Any:
        client = self._dynamodb
        self._dynamodb = SimpleNamespace(
            update_item=lambda **request: client.update_item(
                **{
                    **request,
                    "UpdateExpression": "SET #side = if_not_exists(#side, :wanted),"
                    " #expires = if_not_exists(#expires, :expires)",
                }
            )
        )
        try:
            return original(self, *given)
        finally:
            self._dynamodb = client

    patch.setattr(pins.Pins, "side", once)


def pins_that_are_guessed(patch: Patch) -> None:
    original = pins.Pins.side

    def guessed(self: Any, route: str, key: str, wanted: Any) -> Any:
        try:
            return original(self, route, key, wanted)
        except pins.PinsUnavailable:
            return wanted

    patch.setattr(pins.Pins, "side", guessed)


def nothing_known_without_the_table(patch: Patch) -> None:
    original = shares.Shares._ask_the_table

    def forgetful(self: Any, route: str) -> None:
        told = self._tell

        def tell(metric: str, *more: Any) -> None:
            if metric == "RouteStoreUnavailable":
                self._seen = {}
            told(metric, *more)

        self._tell = tell
        original(self, route)
        self._tell = told

    patch.setattr(shares.Shares, "_ask_the_table", forgetful)


def the_code_s_value_without_the_table(patch: Patch) -> None:
    original = shares.Shares.percent
    patch.setattr(
        shares.Shares,
        "percent",
        lambda self, route: (
            original(self, route)
            if self._seen
            else (original(self, route), self._migration["routes"][route]["initial_percent"])[1]
        ),
    )


def no_cache(patch: Patch) -> None:
    original = shares.Shares._ask_the_table

    def always(self: Any, route: str) -> None:
        self._fresh_until = float("-inf")
        original(self, route)

    patch.setattr(shares.Shares, "_ask_the_table", always)


def one_page(patch: Patch) -> None:
    original = shares.items

    def first(table: str, dynamodb: Any) -> Any:
        one = SimpleNamespace(query=lambda **request: {"Items": dynamodb.query(**request)["Items"]})
        return original(table, one)

    patch.setattr(shares, "items", first)


def items_that_are_believed(patch: Patch) -> None:
    patch.setattr(shares, "_standing", Standing.of)


def read_as(patch: Patch, holds: Callable[[Standing, int], bool]) -> None:
    def of(item: Mapping[str, Any] | None, settings: Any) -> Standing:
        found = standing._read(item) if item else None
        if settings is None or (found is not None and holds(found, settings["generation"])):
            return found or Standing(0.0, killed=False, generation=0)
        version = found.version if found else 0
        return Standing(settings["initial_percent"], killed=False, generation=settings["generation"], version=version)

    patch.setattr(Standing, "of", of)


def any_generation(patch: Patch) -> None:
    read_as(patch, lambda *_: True)


def its_own_generation_alone(patch: Patch) -> None:
    read_as(patch, lambda found, generation: found.generation == generation)


def the_code_s_own_value(patch: Patch) -> None:
    read_as(patch, lambda *_: False)


def changes_of_what_was_not_seen(patch: Patch) -> None:
    patch.setattr(changes, "as_seen", lambda *_: {})


def changes_without_history(patch: Patch) -> None:
    original = changes.change

    def alone(dynamodb: Any, *given: Any, **more: Any) -> None:
        one = SimpleNamespace(
            transact_write_items=lambda **request: dynamodb.transact_write_items(
                **{**request, "TransactItems": request["TransactItems"][:1]}
            )
        )
        original(one, *given, **more)

    patch.setattr(controlling, "change", alone)
    patch.setattr(changes, "change", alone)


def changes_without_a_token(patch: Patch) -> None:
    original = changes.change

    def unknown(dynamodb: Any, *given: Any, **more: Any) -> None:
        one = SimpleNamespace(
            transact_write_items=lambda **request: dynamodb.transact_write_items(TransactItems=request["TransactItems"])
        )
        original(one, *given, **more)

    patch.setattr(controlling, "change", unknown)


def migrating_alone(migration: Any, route: str) -> str:
    return "migrating" if route in migration["routes"] else "removed"


def marks_that_stay(patch: Patch) -> None:
    original = sweeping.Sweep._is_marked
    patch.setattr(
        sweeping.Sweep,
        "_is_marked",
        lambda self, route, standing, since, how: since is None and original(self, route, standing, since, how),
    )


def a_set_that_ends_a_kill(patch: Patch) -> None:
    original = controlling._wanted
    patch.setattr(controlling, "_wanted", lambda command, before: original(command, before._replace(killed=False)))


def percentages_of_any_kind(patch: Patch) -> None:
    patch.setattr(controlling, "_wanted", lambda command, _: (float(command.get("percent") or 0), False))


def counts_of_any_version(patch: Patch) -> None:
    patch.setattr(counting, "_entry", lambda window, _: f"{window}#0#0")
    patch.setattr(shares.Shares, "_report", _reporting_for_whatever_holds)


def _reporting_for_whatever_holds(self: Any, route: str) -> None:
    total, _ = self._counts.report(route)
    rules = self._migration["routes"][route].get("rollback")
    if rules and total.is_too_bad(rules) and not self._seen[route].killed:
        self._roll_back(route, self._seen[route], total, rules)


def counts_of_ones_own(patch: Patch) -> None:
    original = counting.Counts.report

    def alone(self: Any, route: str) -> Any:
        mine = self._pending[route]
        _, stood = original(self, route)
        return counting.Total(mine.requests, mine.errors), stood

    patch.setattr(counting.Counts, "report", alone)


def any_sample(patch: Patch) -> None:
    patch.setattr(
        counting.Total,
        "is_too_bad",
        lambda self, rules: self.errors * 100 > self.requests * rules["max_error_percent"],
    )


def no_rollback(patch: Patch) -> None:
    patch.setattr(counting.Total, "is_too_bad", lambda *_: False)


def failures_before_successes(patch: Patch) -> None:
    original = counting.Counts.due
    patch.setattr(
        counting.Counts,
        "due",
        lambda self, route, age: (
            original(self, route, age) and (self._pending[route].errors > 0 or self._pending[route].requests > 100)
        ),
    )


def reports_of_every_request(patch: Patch) -> None:
    patch.setattr(counting.Counts, "due", lambda self, route, _: route in self._pending)


def rollbacks_that_only_their_author_tells(patch: Patch) -> None:
    roll_back = shares.Shares._roll_back

    def look(self: Any) -> None:
        self._seen = shares.standings(self._migration, self._table, self._dynamodb)
        self._fresh_until = self._clock() + self._migration["cache_seconds"]

    def told(self: Any, route: str, *given: Any) -> None:
        roll_back(self, route, *given)
        self._tell("RolledBack", route, None)

    patch.setattr(shares.Shares, "_look", look)
    patch.setattr(shares.Shares, "_roll_back", told)


def copies_of_everything(patch: Patch) -> None:
    original = shadow.hand_over

    class Safe:
        def __init__(self, arrival: Any) -> None:
            self._arrival = arrival
            self.safe = True

        def __getattr__(self, name: str) -> Any:
            return getattr(self._arrival, name)

    patch.setattr(shadow, "hand_over", lambda edge, arrival, answer: original(edge, Safe(arrival), answer))


def copies_that_callers_wait_for(patch: Patch) -> None:
    def hand_over(edge: Any, arrival: Any, answer: Any) -> None:
        given = edge.settings.migration["routes"][arrival.route]["shadow"]
        edge.functions.send("shadow-fn", repr(shadow._copy(arrival, answer, given)).encode(), shadow.SECONDS)

    patch.setattr(shadow, "hand_over", hand_over)


def all_differences_at_length(patch: Patch) -> None:
    patch.setattr(shadow_handler, "SAMPLE_SECONDS", 0.0)


def values_in_the_log(patch: Patch) -> None:
    patch.setattr(comparison, "_kind", str)


def python_s_idea_of_equal(patch: Patch) -> None:
    patch.setattr(comparison, "_same", lambda one, other: one == other)


def bombs_that_are_unpacked(patch: Patch) -> None:
    patch.setattr(comparison, "MOST_BYTES", 0)


class Whatever(str):
    """Equal to any handler."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, _: object) -> bool:
        return True

    def __ne__(self, _: object) -> bool:
        return False


def any_function(patch: Patch) -> None:
    patch.setattr(_routes, "CONTROL", Role(Whatever(), "control function", "gateway"))


def asked_of_the_guardian(patch: Patch) -> None:
    cloud = commands.Cloud(Gateway())
    result = commands.typing(patch, cloud, "route", "_routes_commands")("list", "guardian")
    assert cloud.asked == [], result.output


def refused(story: Story) -> Story:
    """A story in which `pytest.raises` misses what it waits for."""

    def run(patch: Patch) -> None:
        try:
            story(patch)
        except pytest.fail.Exception as missed:
            raise AssertionError(str(missed)) from missed

    return run


CASES: dict[str, tuple[Callable[[Patch], None], Story]] = {
    "a caller's place is a hash, not chance": (
        hash_of_chance,
        plain(places.test_who_asks_again_is_where_he_was),
    ),
    "the gateway's own cookie counts more than a login": (
        a_login_s_names_first,
        plain(places.test_a_login_moves_nobody),
    ),
    "who is placed by a claim stays there when he logs out": (
        no_cookie_of_a("claim"),
        plain(places.test_no_login_and_no_logout_moves_anybody_back),
    ),
    "who is named otherwise before a login stays there after it": (
        no_cookie_of_a("step"),
        plain(places.test_no_login_and_no_logout_moves_anybody_back),
    ),
    "who is named by one route is in the same place on all": (
        no_cookie_of_a("step"),
        plain(places.test_a_browser_has_one_place_whatever_each_route_knows_it_by),
    ),
    "a claim is somebody's own, whoever was logged in before": (
        setting(placement, "_of_a_claim", lambda _: False),
        plain(places.test_who_logs_in_after_somebody_else_is_placed_by_his_own_claim),
    ),
    "a percentage of two decimals is exact": (
        lambda patch: patch.setattr(placement, "round", lambda share: int(share), raising=False),
        plain(places.test_a_share_of_two_decimals_is_exactly_so_many_of_ten_thousand_steps),
    ),
    "a side is chosen only where that is allowed": (
        any_side_that_is_asked_for,
        plain(places.test_nobody_chooses_where_it_is_not_allowed),
    ),
    "a pin belongs to who comes first": (
        pins_of_whoever_comes_last,
        plain(pinned.test_two_first_tries_at_the_same_moment_agree),
    ),
    "a pin lives on with each use": (
        pins_that_do_not_live_on,
        plain(pinned.test_a_pin_is_one_write_and_outlives_what_the_function_remembers_of_a_key_from_each_use),
    ),
    "a pin that cannot be read is not guessed": (
        pins_that_are_guessed,
        refused(plain(pinned.test_who_heard_nothing_of_his_pin_finds_it)),
    ),
    "what was seen last holds": (
        nothing_known_without_the_table,
        knowing(known.test_the_last_value_holds_and_the_table_is_asked_once_a_cache_age),
    ),
    "who never saw the table trusts no code": (
        the_code_s_value_without_the_table,
        plain(known.test_who_never_saw_the_table_sends_everybody_to_legacy),
    ),
    "one look a cache age": (no_cache, knowing(known.test_all_routes_are_one_query_a_cache_age)),
    "all pages are read": (one_page, plain(known.test_more_than_a_page_of_routes_is_read_to_its_end)),
    "an item of somebody else's ends no other route": (
        items_that_are_believed,
        knowing(known.test_an_item_that_is_none_of_ours_sends_its_route_to_legacy_and_leaves_the_others_alone),
    ),
    "a kill is more than a percentage": (
        setting(Standing, "share", property(lambda self: self.percent)),
        knowing(known.test_a_kill_holds_until_it_is_cleared_and_gives_back_what_was_before),
    ),
    "what was set outlives a deployment": (
        the_code_s_own_value,
        knowing(known.test_a_deployment_undoes_no_set_and_no_kill),
    ),
    "a raised generation begins anew": (
        any_generation,
        knowing(known.test_a_raised_generation_begins_anew, True),
    ),
    "older code holds to what is newer": (
        its_own_generation_alone,
        knowing(known.test_older_code_holds_to_what_was_set_for_newer),
    ),
    "a change is one of what was seen": (
        changes_of_what_was_not_seen,
        knowing(control.test_of_two_operators_at_once_one_is_told_what_the_other_did, True, "set"),
    ),
    "a change and its history are one": (
        changes_without_history,
        knowing(control.test_each_change_is_kept_with_who_when_why_and_what_was_before),
    ),
    "a change that the SDK repeats is one": (
        changes_without_a_token,
        knowing(control.test_said_again_by_the_sdk_it_is_done_once),
    ),
    "a kill is done whoever else is at work": (
        setting(controlling, "KILL_TRIES", 1),
        knowing(control.test_a_kill_is_one_whoever_else_changes_the_route_at_that_moment, "set"),
    ),
    "a set ends no kill": (
        a_set_that_ends_a_kill,
        knowing(control.test_a_killed_route_is_set_only_once_it_is_cleared),
    ),
    "a percentage is one": (
        percentages_of_any_kind,
        knowing(control.test_what_makes_no_sense_changes_nothing, {"percent": 100.01}, "a number from 0 to 100"),
    ),
    "what was set for a removed route is kept for a week": (
        setting(sweeping, "REMOVED_KEPT_SECONDS", 0),
        removed(swept.test_a_removed_route_is_forgotten_a_week_after_it_was_missed),
    ),
    "what is listed in whatever stage is not removed": (
        setting(sweeping, "stage_of", migrating_alone),
        removed(swept.test_what_is_listed_in_whatever_stage_keeps_what_was_set, "legacy"),
    ),
    "who was back in time has all of it again": (
        marks_that_stay,
        removed(swept.test_who_comes_back_in_time_has_what_was_set_and_all_of_his_time_again, "migrating"),
    ),
    "a sweep forgets what it has seen, or nothing": (
        changes_of_what_was_not_seen,
        removed(swept.test_what_is_set_while_a_sweep_is_on_holds, "kill", swept.WEEK),
    ),
    "a history goes by itself": (
        setting(contract, "HISTORY_SECONDS", 10**9),
        removed(swept.test_the_history_tells_of_it_and_goes_by_itself),
    ),
    "a removed route's breaker goes too": (
        setting(sweeping.Sweep, "_removed_breakers", lambda _: ()),
        removed(swept.test_the_breaker_of_a_removed_route_goes_when_it_has_been_silent_for_a_week),
    ),
    "a breaker that changes is not forgotten": (
        setting(sweeping, "_OF_A_BREAKER", ("breaker",)),
        removed(swept.test_a_breaker_that_changes_while_a_sweep_is_on_stays, {"failures": {"L": []}}),
    ),
    "a rollback": (no_rollback, rolling(rollback.test_over_the_bound_it_is_killed_with_the_numbers_as_its_reason)),
    "a rollback needs a sample": (
        any_sample,
        rolling(rollback.test_within_the_bound_and_chance_or_below_the_sample_it_goes_on, 49, 49),
    ),
    "a rollback is not for chance": (
        setting(counting, "BEYOND_CHANCE", 0),
        plain(lambda: rollback.test_how_often_chance_rolls_back_a_version_within_a_minute(0.01, 0, 5e-5)),
    ),
    "counts of several routers add up": (
        counts_of_ones_own,
        plain(rollback.test_what_several_routers_count_adds_up),
    ),
    "what was counted before a change is void": (
        counts_of_any_version,
        rolling(rollback.test_cleared_it_is_not_killed_for_what_was_counted_before),
    ),
    "one rollback of several routers": (
        changes_of_what_was_not_seen,
        rolling(rollback.test_routers_that_find_it_at_once_kill_it_once),
    ),
    "a rollback is told by all who learn of it": (
        rollbacks_that_only_their_author_tells,
        rolling(rollback.test_a_kill_whose_answer_was_lost_is_told_all_the_same),
    ),
    "successes are told as soon as failures": (
        failures_before_successes,
        rolling(rollback.test_routers_that_are_seldom_used_tell_of_successes_as_soon_as_of_failures),
    ),
    "one report a cache age": (
        reports_of_every_request,
        rolling(rollback.test_a_router_reports_once_a_cache_age_at_most_and_adds_nothing_while_it_is_fresh),
    ),
    "of a route that is killed nothing is copied": (
        setting(handler, "_shadowed", lambda *given: shadow.hand_over(*given)),
        on_a_server(shadows.test_of_a_route_that_is_killed_nothing_is_copied),
    ),
    "only what is safe, or declared, is copied": (
        copies_of_everything,
        on_a_server(shadows.test_what_is_not_safe_is_copied_only_where_that_is_declared),
    ),
    "a copy has a key of its own": (
        setting(shadow, "_rekeyed", lambda headers: headers),
        on_a_server(shadows.test_a_copy_never_has_the_caller_s_key_and_every_copy_has_the_same),
    ),
    "a copy that fails is not the caller's trouble": (
        copies_that_callers_wait_for,
        shadowed(shadows.test_what_cannot_be_handed_over_is_counted_and_not_the_caller_s_trouble),
    ),
    "callers wait for no large answer to be read": (
        setting(shadow, "MOST_READ_BYTES", 1 << 30),
        shadowed(shadows.test_an_answer_that_takes_long_to_read_is_not_compared),
    ),
    "few differences are told": (
        all_differences_at_length,
        shadowed(shadows.test_all_differences_are_counted_and_few_are_told),
    ),
    "no value is told": (values_in_the_log, shadowed(shadows.test_a_difference_is_told_without_the_values)),
    "true is not 1": (
        python_s_idea_of_equal,
        plain(
            lambda: compared.test_differences_are_those_of_json_and_quote_nothing([1], [True], "array of 1, array of 1")
        ),
    ),
    "what is unpacked has a limit": (
        bombs_that_are_unpacked,
        refused(plain(compared.test_what_is_packed_is_unpacked_as_far_as_this_can)),
    ),
    "the commands invoke nothing else": (any_function, asked_of_the_guardian),
    "under load: a pin belongs to who comes first": (
        pins_of_whoever_comes_last,
        plain(lambda: stories.test_ten_flips_and_a_kill_under_load_lose_and_double_nothing(1)),
    ),
    "under load: what was set outlives a deployment": (
        the_code_s_own_value,
        plain(lambda: stories.test_a_deployment_ends_no_kill_and_a_raised_generation_does(1)),
    ),
    "under load: a raised generation begins anew": (
        any_generation,
        plain(lambda: stories.test_a_deployment_ends_no_kill_and_a_raised_generation_does(1)),
    ),
    "under load: a pin that cannot be read is not guessed": (
        pins_that_are_guessed,
        plain(lambda: stories.test_while_the_table_is_down_the_last_value_holds_and_a_kill_above_all(1)),
    ),
    "under load: what was seen last holds": (
        the_code_s_value_without_the_table,
        plain(lambda: stories.test_while_the_table_is_down_the_last_value_holds_and_a_kill_above_all(1)),
    ),
    "under load: a caller's place is a hash, not chance": (
        hash_of_chance,
        plain(lambda: stories.test_ten_flips_and_a_kill_under_load_lose_and_double_nothing(1)),
    ),
    "under load: a rollback": (
        no_rollback,
        plain(lambda: stories.test_a_bad_version_is_rolled_back_by_itself_and_nobody_sees_an_error(1)),
    ),
    "under load: failures one by one open no breaker": (
        setting(breakers, "FAILURES_IN_A_ROW", 1),
        plain(lambda: stories.test_a_good_version_is_neither_refused_nor_rolled_back(ORDERS, 0.005)),
    ),
    "under load: a change is one of what was seen": (
        changes_of_what_was_not_seen,
        plain(stories.test_two_operators_at_once_and_one_is_told),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_without_it_something_fails(name: str, monkeypatch: Patch) -> None:
    take_out, story = CASES[name]
    take_out(monkeypatch)
    with pytest.raises(AssertionError):
        story(monkeypatch)


@pytest.mark.parametrize("name", CASES)
def test_with_it_nothing_fails(name: str, monkeypatch: Patch) -> None:
    if name.startswith("under load"):
        return  # the story is a test of its own
    CASES[name][1](monkeypatch)


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/strangler_gateway.md").read_text()
    section = page[page.index("## The control's safeguards") :].partition("\n## ")[0]
    assert re.findall(r"^- ([^*`].*)$", section, re.MULTILINE) == [*CASES]
    assert len(CASES) >= 40
