"""What must hold of every history, whatever went wrong. Each function raises AssertionError with what it saw."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from .judging import check
from .ledger import OPENING_STOCK, Sent
from .world import CLAIMS, START, World, name_of

__all__ = ["AFTER_REDRIVE", "AFTER_WILD_REDRIVE", "GENTLE", "WILD", "Invariant", "check", "watch_claims"]

Invariant = Callable[[World], None]

SKEW_ALLOWANCE_SECONDS = 5
"""Clock skew, rounding to seconds, and the runtime's own margin."""


def processed(world: World) -> set[str]:
    """Names of the messages whose work took effect: their key did, with their payload."""
    done = payloads_that_took_effect(world)
    return {name for name, sent in world.ledger.sent.items() if sent.key is not None and payload_of(sent) in done}


def payloads_that_took_effect(world: World) -> set[str]:
    inside = {item["payload"]["S"] for item in world.dynamodb.tables["effects-table"].items.values()}
    return inside | {payload for _, __, payload in world.ledger.external}


def seconds_of(sent: Sent) -> float:
    """How long the function works on it."""
    return float(json.loads(sent.body).get("seconds", 0.1))


def payload_of(sent: Sent) -> str:
    return json.dumps(json.loads(sent.body), sort_keys=True)


def known_as_done(world: World, name: str) -> bool:
    """With leases, who dies between the effect and its record leaves an effect that nobody can know of."""
    claim = world.dynamodb.tables[CLAIMS].items.get((f"Orders#{world.ledger.idempotency_keys[name]}",))
    return world.account.effects or (claim is not None and claim["done"]["BOOL"])


def contested(world: World, name: str) -> bool:
    """Its key was sent with two payloads: one may be refused while the other runs, and win in a later message."""
    key = world.ledger.sent[name].key
    return len({sent.body for sent in world.ledger.sent.values() if sent.key == key}) > 1


def nothing_is_lost(world: World) -> None:
    """Processed + dead-lettered = sent, counting distinct messages."""
    accounted = processed(world) | world.dead_letters()
    lost = set(world.ledger.sent) - accounted
    assert not lost, f"neither processed nor dead-lettered: {sorted(lost)}"
    unknown = accounted - set(world.ledger.sent)
    assert not unknown, f"never sent: {sorted(unknown)}"


def nothing_is_both(world: World) -> None:
    """What was processed is not also a dead letter: a redrive would ask for it again."""
    both = {
        name
        for name in processed(world) & world.dead_letters()
        if known_as_done(world, name) and not contested(world, name)
    }
    assert not both, f"processed, and dead-lettered too: {sorted(both)}"


def effects_happen_once(world: World) -> None:
    """Inside our transaction: exactly once per key, whatever goes wrong."""
    if not world.account.effects:
        return
    twice = {key: times for key, times in world.ledger.effects().items() if times != 1}
    assert not twice, f"effects per key: {twice}"


def stock_equals_opening_minus_ordered(world: World) -> None:
    if not world.account.effects:
        return
    on_hand = sum(int(item["on_hand"]["N"]) for item in world.dynamodb.tables["stock-table"].items.values())
    ordered = sum(
        json.loads(item["payload"]["S"])["amount"] for item in world.dynamodb.tables["effects-table"].items.values()
    )
    assert on_hand == 2 * OPENING_STOCK - ordered, f"{on_hand} in stock, {ordered} ordered of {2 * OPENING_STOCK}"


def only_what_cannot_be_mended_stays_dead(world: World) -> None:
    """After the fix and a redrive: malformed bodies and reused keys, nothing else."""
    payloads = payloads_that_took_effect(world)
    left = {
        name
        for name in world.dead_letters()
        if (sent := world.ledger.sent[name]).key is not None
        and payload_of(sent) in payloads
        and known_as_done(world, name)
    }
    assert not left, f"could be processed, and is still a dead letter: {sorted(left)}"


def poison_takes_no_effect(world: World) -> None:
    if world.ledger.fixed:
        return
    done = processed(world)
    wrong = [name for name in done if not world.ledger.sent[name].healthy]
    assert not wrong, f"took effect although it must not: {wrong}"


def healthy_messages_stay_out_of_the_dead_letter_queue(world: World) -> None:
    """Unless it expired, or another message with the same key but another payload was there first."""
    if world.account.max_age:
        return
    payloads = payloads_that_took_effect(world)
    taken = {json.loads(payload)["order"]["id"] for payload in payloads}
    wrong = [
        name
        for name in world.dead_letters()
        if (sent := world.ledger.sent[name]).healthy
        and not (sent.key in taken and payload_of(sent) not in payloads)
        and not (sent.does == "strict" and not known_as_done(world, name))
    ]
    assert not wrong, f"healthy, and dead-lettered: {wrong}"


def a_key_stands_for_one_payload(world: World) -> None:
    payloads: dict[str, set[str]] = {}
    for payload in payloads_that_took_effect(world):
        payloads.setdefault(json.loads(payload)["order"]["id"], set()).add(payload)
    reused = {key: kinds for key, kinds in payloads.items() if len(kinds) > 1}
    assert not reused, f"one key, two payloads: {reused}"


def the_cap_holds(world: World) -> None:
    cap = world.account.max_concurrency
    assert world.function.peak <= cap, f"{world.function.peak} invocations at once, the cap is {cap}"


def a_key_runs_once_at_a_time(world: World) -> None:
    """A lease is never taken over while its holder could still do something."""
    if world.account.effects:
        return
    for key in {run.key for run in world.ledger.runs}:
        runs = sorted(world.ledger.runs_of(key), key=lambda run: run.start)
        for before, after in pairwise(runs):
            assert before.over <= after.start, f"{key} ran twice at once, from {before.start} and {after.start}"


def groups_keep_their_order(world: World) -> None:
    """FIFO: nothing takes effect before everything ahead of it in its group is settled."""
    if not world.account.fifo:
        return
    groups: dict[str, list[Sent]] = {}
    keys: set[str | None] = {None}
    for sent in sorted(world.ledger.sent.values(), key=lambda sent: sent.at):
        if sent.key is None or sent.key not in keys:  # a second message of a key has no effect to look at
            groups.setdefault(sent.group or "", []).append(sent)
        keys.add(sent.key)
    for group, members in groups.items():
        latest: tuple[float, str] = (0.0, "")
        for sent in members:
            effect = world.ledger.first_effect(sent.key) if sent.key is not None else None
            if effect is not None and sent.name not in world.history.dead:
                assert effect >= latest[0], f"group {group}: {sent.name} took effect before {latest[1]} was settled"
            settled = min(time for time in (effect, world.history.dead.get(sent.name)) if time is not None)
            latest = max(latest, (settled, sent.name))


def dead_letters_say_why(world: World) -> None:
    """The body is as sent; what the runtime buried carries its reason, and its key if it had one."""
    for letter in world.dead_letter_queue.messages:
        sent = world.ledger.sent[name_of(letter)]
        assert letter.body == sent.body, f"{sent.name}: body changed"
        if world.account.fifo:
            assert letter.group == sent.group, f"{sent.name}: group {letter.group} for {sent.group}"
        reason = letter.attributes.get("dead-letter")
        if reason is None:
            continue  # SQS's own redrive
        said = json.loads(reason["StringValue"])
        assert said["reason"]
        assert said["error_type"]
        known = world.ledger.idempotency_keys[sent.name]
        # Without a readable body there is no key in it; the message id is always one.
        if sent.key is not None:
            assert said.get("idempotency_key") == known, f"{sent.name}: key {said.get('idempotency_key')}, not {known}"


def mishaps_of(world: World, of_others: Sent | None = None) -> int:
    """How often something went wrong outside of the messages' own functions, or took their process with it."""
    killed = world.ledger.killed
    if of_others is not None and of_others.key is not None and of_others.does in {"kills", "hangs"}:
        killed -= len(world.ledger.runs_of(of_others.key))
    return world.faults.spent + max(0, killed)


def only_messages_of(world: World, key: str) -> int:
    return sum(sent.key == key for sent in world.ledger.sent.values())


def recorded_work_is_not_repeated(world: World) -> None:
    """With leases: at least once, and more often only when a call failed or a process died."""
    mishaps = mishaps_of(world)
    again = {key: times for key, times in world.ledger.effects().items() if times > 1 + mishaps}
    if not world.account.key_path:
        again = {key: times for key, times in again.items() if only_messages_of(world, key) == 1}
    assert not again, f"effects repeated without a mishap ({mishaps} in all): {again}"


def poison_is_tried_no_more_than_it_may(world: World) -> None:
    if world.ledger.fixed:
        return
    for sent in world.ledger.sent.values():
        if sent.healthy or sent.key is None:
            continue
        once = sent.does in {"permanent", "shortage"}
        # The first receive costs no write: when it dies, nobody knows of the attempt.
        unheard = 1 if world.account.counts_attempts and sent.does in {"kills", "hangs"} else 0
        most = (1 if once else world.account.max_receive_count + unheard) + mishaps_of(world, of_others=sent)
        times = len(world.ledger.runs_of(sent.key))
        assert times <= most, f"poison {sent.name} ({sent.does}) ran {times} times"


def retries_wait(world: World) -> None:
    """A failed message rests for a second at least. A duplicate delivery knows nothing of that."""
    if mishaps_of(world):
        return
    for sent in world.ledger.sent.values():
        if sent.key is None or only_messages_of(world, sent.key) > 1:
            continue
        for before, after in pairwise(world.ledger.runs_of(sent.key)):
            wait = after.start - before.over
            assert wait >= 0.9, f"no backoff: {sent.name} ran again after {wait:.3f} s"


def receives_are_few(world: World) -> None:
    """What a message costs: one receive, one for each failure of its own, one or two for each mishap.

    Messages that share its key may be in its way once per run of theirs. What did not fit into an invocation's time,
    and what stood behind another in a FIFO batch, was received without being tried.
    """
    account = world.account
    work = sum(seconds_of(sent) for sent in world.ledger.sent.values() if sent.key is not None)
    if account.counts_attempts and (account.fifo or work > 0.4 * account.timeout):
        return
    if account.reserved_concurrency is not None:
        return
    per_mishap = 1 if account.effects else 2
    counts = receives(world)
    for sent in world.ledger.sent.values():
        own = {"once": 1, "twice": 2, "never": account.max_receive_count}
        sharing = [other for other in world.ledger.sent.values() if other.key == sent.key and other is not sent]
        most = 1 + own.get(sent.does, 0) + per_mishap * mishaps_of(world)
        most += sum(1 + own.get(other.does, 0) for other in sharing)
        count = counts[world.ledger.message_ids[sent.name]]
        assert count <= most, f"{count} receives of one message, {sent.name}, where {most} are enough"


def work_is_not_done_in_vain(world: World) -> None:
    """Without a mishap no run is cut off by the function's timeout, as long as all take about the same time."""
    paces = {seconds_of(sent) for sent in world.ledger.sent.values() if sent.key is not None}
    if mishaps_of(world) or max(paces, default=0) > 2 * min(paces, default=0):
        return
    cut = [run for run in world.ledger.runs if run.end is None]
    assert not cut, f"work in vain: {[(run.key, run.start - START) for run in cut]}"


def stale_work_is_not_run(world: World) -> None:
    if not world.account.max_age or world.ledger.fixed:
        return
    latest = {sent.key: sent.at + sent.delay for sent in world.ledger.sent.values()}
    for run in world.ledger.runs:
        age = run.start - START - latest[run.key]
        assert age <= world.account.max_age + SKEW_ALLOWANCE_SECONDS, f"stale work: {run.key} ran at the age of {age} s"


GENTLE: Sequence[Invariant] = (
    nothing_is_lost,
    nothing_is_both,
    effects_happen_once,
    stock_equals_opening_minus_ordered,
    poison_takes_no_effect,
    healthy_messages_stay_out_of_the_dead_letter_queue,
    recorded_work_is_not_repeated,
    poison_is_tried_no_more_than_it_may,
    retries_wait,
    receives_are_few,
    work_is_not_done_in_vain,
    stale_work_is_not_run,
    a_key_stands_for_one_payload,
    the_cap_holds,
    a_key_runs_once_at_a_time,
    groups_keep_their_order,
    dead_letters_say_why,
)
"""With fewer mishaps than receives: everything."""


def a_committed_key_stands_for_one_payload(world: World) -> None:
    """With leases only completed work is remembered: an effect whose process died unheard, and whose message then
    spends its last receive, leaves the key free."""
    if world.account.effects:
        a_key_stands_for_one_payload(world)


WILD: Sequence[Invariant] = (
    nothing_is_lost,
    effects_happen_once,
    stock_equals_opening_minus_ordered,
    poison_takes_no_effect,
    stale_work_is_not_run,
    a_committed_key_stands_for_one_payload,
    the_cap_holds,
    a_key_runs_once_at_a_time,
    groups_keep_their_order,
    dead_letters_say_why,
)
"""With any number of mishaps, a message may spend all its receives: what must hold even then."""

AFTER_REDRIVE: Sequence[Invariant] = (
    nothing_is_lost,
    effects_happen_once,
    stock_equals_opening_minus_ordered,
    only_what_cannot_be_mended_stays_dead,
    a_committed_key_stands_for_one_payload,
    the_cap_holds,
    a_key_runs_once_at_a_time,
    dead_letters_say_why,
)

AFTER_WILD_REDRIVE = tuple(
    invariant for invariant in AFTER_REDRIVE if invariant is not only_what_cannot_be_mended_stays_dead
)


def watch_claims(world: World) -> None:
    """Leases are bounded by the invocation's end, and a claim that is done is never changed by someone else."""
    longest = min(world.account.timeout, world.account.visibility_timeout) + SKEW_ALLOWANCE_SECONDS

    def see(table: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        if table != CLAIMS:
            return
        now = world.schedule.now
        if after is not None and not after.get("done", {"BOOL": True})["BOOL"]:
            free_at = int(after["free_at"]["N"])
            assert free_at <= now + longest, f"a lease for {free_at - now} s"
        if before is not None and before.get("done", {}).get("BOOL"):
            expired = int(before["free_at"]["N"]) <= now + SKEW_ALLOWANCE_SECONDS
            same = after is not None and after["owner"] == before["owner"]
            assert expired or same, f"a completed claim was taken away: {before} to {after}"

    world.dynamodb.changes.append(see)


def receives(world: World) -> Counter[str]:
    """Deliveries per message, by its id, as the handler was told them."""
    return Counter(
        handle.rpartition("#")[0]
        for _, fields in world.history.trace
        if len(fields) > 2 and fields[1] == "invoked"
        for handle in fields[2]
    )
