"""A breaker as one sandbox knows it: its latest look at the shared item, and the rules for going on from there.

Source: Nygard, Release It! (2007). Closed, open, half-open; the state is shared, and half-open is a lease on the one
call that may probe.
"""

import random
from collections.abc import Callable

from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.failures import counts, with_one_more
from serverless_patterns_runtime.circuit_breaker.permit import Permit
from serverless_patterns_runtime.circuit_breaker.reports import Reports
from serverless_patterns_runtime.circuit_breaker.state import State
from serverless_patterns_runtime.circuit_breaker.store import Beaten, Store, StoreUnavailable
from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS
from serverless_patterns_runtime.errors import CircuitOpen

__all__ = ["CircuitBreaker"]

STORE_PAUSE_SECONDS = 5.0
"""For this long a table that could not be used is not asked again: not every call is to wait for a time-out."""

LOOK_AGAIN_SECONDS = 1.0
"""Least time between two looks of somebody who waits for a probe's verdict."""

COUNT_TRIES = 8
"""Of one failure, when others are counted at the same moment."""

VERDICT_TRIES = 2
"""Of a probe's verdict: lost, it would keep the breaker half-open until the prober counts as dead."""


class CircuitBreaker:
    def __init__(
        self,
        settings: BreakerSettings,
        store: Store,
        reports: Reports,
        clock: Callable[[], float],
        chance: random.Random,
    ) -> None:
        """`clock`: epoch seconds."""
        self._settings = settings
        self._store = store
        self._reports = reports
        self._clock = clock
        self._chance = chance
        self._seen = State()
        self._fresh_until = float("-inf")
        self._store_pause_until = float("-inf")

    def permit(self, remaining: Callable[[], float]) -> Permit:
        """For one call, now. `remaining`: seconds until Lambda ends the invocation, and a prober with it.

        Raises CircuitOpen. Without the table every call is permitted: a breaker must not be the outage.
        """
        now = self._clock()
        if not self._knows_enough(now):
            if now < self._store_pause_until:
                return Permit(self)
            try:
                self._see(self._store.read())
            except StoreUnavailable as failure:
                self._store_failed(failure)
                return Permit(self)
        seen = self._seen
        if seen.open and now >= seen.open_until and not seen.is_probed(now):
            return self._probe(now, remaining)
        return self._permit_by_what_is_known(now)

    def refused(self, calls: int) -> None:
        """So many calls were not made, because `permit` refused them."""
        self._reports.refused(calls)

    # How calls went. None of this raises: a breaker's troubles are not the caller's.

    def judge(self, permit: Permit, error: BaseException | None) -> CircuitOpen | None:
        failure = error if counts(error, self._settings) else None
        if permit.prober is not None:
            self._conclude(permit.prober, failure)
        elif failure is not None and permit.epoch is not None and self._clock() >= self._store_pause_until:
            permit.opened = self._count(permit.epoch, failure)
        return None if failure is None else self._excuse_for(permit)

    def suspect(self, permit: Permit, error: BaseException) -> CircuitOpen | None:
        """Half-open, whatever the window holds: a call decides whether the downstream is down, or one caller wrong."""
        if not counts(error, self._settings):
            return None
        for _ in range(COUNT_TRIES):
            excuse, now = self._excuse_for(permit), self._clock()
            if excuse is not None:
                return excuse
            if permit.epoch is None or now < self._store_pause_until:
                return None
            try:
                self._see(self._store.open(self._seen, now, now))
            except Beaten as beaten:
                self._see(beaten.found)
            except StoreUnavailable as failure:
                self._store_failed(failure)
            else:
                self._reports.suspected(self._seen, error)
                return CircuitOpen(now + self._settings["open_seconds"], now)
        return None

    def give_back(self, permit: Permit) -> None:
        if permit.prober is None:
            return
        try:
            self._see(self._store.give_probe_back(permit.prober))
        except Beaten as beaten:
            self._see(beaten.found)
        except StoreUnavailable as failure:
            self._store_failed(failure)

    def _excuse_for(self, permit: Permit) -> CircuitOpen | None:
        """Why a failure is not the call's own, if it is not: it probed, or the breaker has opened since it began."""
        seen, now = self._seen, self._clock()
        if seen.open and (now < seen.open_until or permit.prober is not None or permit.epoch is not None):
            return CircuitOpen(seen.open_until, seen.opened_at)
        if permit.prober is not None or (permit.epoch is not None and permit.epoch != seen.epoch):
            return CircuitOpen(now, now)
        return None

    # Looking.

    def _knows_enough(self, now: float) -> bool:
        """An open breaker stays so until `open_until`, whoever asks; past that the claim on the probe finds out."""
        seen = self._seen
        return now < self._fresh_until or (seen.open and not seen.is_probed(now))

    def _see(self, state: State) -> None:
        age = self._settings["cache_seconds"]
        now = self._clock()
        self._seen = state
        self._fresh_until = now + (max(age, LOOK_AGAIN_SECONDS) if state.is_probed(now) else age)

    def _permit_by_what_is_known(self, now: float) -> Permit:
        seen = self._seen
        if not seen.open:
            return Permit(self, epoch=seen.epoch)
        if now < seen.open_until:
            raise CircuitOpen(seen.open_until, seen.opened_at)
        verdict_at = min(self._fresh_until, seen.probe_until) if seen.is_probed(now) else now
        raise CircuitOpen(max(verdict_at, now + LOOK_AGAIN_SECONDS), seen.opened_at)

    # Half-open.

    def _probe(self, now: float, remaining: Callable[[], float]) -> Permit:
        """Only who claims the probe may call."""
        if now < self._store_pause_until:
            return Permit(self)
        prober = f"{self._chance.getrandbits(128):032x}"
        try:
            self._see(self._store.claim_probe(prober, now, now + remaining() + CLOCK_SKEW_SECONDS))
        except Beaten as beaten:
            self._see(beaten.found)
            return self._permit_by_what_is_known(now)
        except StoreUnavailable as failure:
            if failure.busy and now < self._seen.open_until + self._settings["open_seconds"]:
                # Many write to the item at this moment, and one of them probes.
                raise CircuitOpen(now + LOOK_AGAIN_SECONDS, self._seen.opened_at) from None
            self._store_failed(failure)
            return Permit(self, prober=prober)  # the claim may have been carried out
        self._reports.probes(self._seen)
        return Permit(self, prober=prober)

    def _conclude(self, prober: str, error: BaseException | None) -> None:
        failure: StoreUnavailable | None = None
        for _ in range(VERDICT_TRIES):
            try:
                if error is None:
                    self._see(self._store.close(prober))
                    self._reports.closed(self._seen)
                else:
                    open_until = self._clock() + self._settings["open_seconds"]
                    self._see(self._store.open_again(prober, open_until))
                    self._reports.opened_again(self._seen, error)
                return
            except Beaten as beaten:  # this probe took so long that another has begun, or its first try was carried out
                self._see(beaten.found)
                return
            except StoreUnavailable as unavailable:
                failure = unavailable
        assert failure is not None
        self._store_failed(failure)

    # Closed.

    def _count(self, epoch: int, error: BaseException) -> bool:
        """Whether that opened it. Read, modify, write: what was read may be old; then the refused write says so."""
        for _ in range(COUNT_TRIES):
            if self._seen.open or self._seen.epoch != epoch:
                return False  # it was another epoch's call
            try:
                self._count_once(error)
                return self._seen.open
            except Beaten as beaten:
                self._see(beaten.found)
            except StoreUnavailable as failure:
                self._store_failed(failure)
                return False
        self._reports.uncounted(self._seen)
        return False

    def _count_once(self, error: BaseException) -> None:
        settings, now = self._settings, self._clock()
        failures = with_one_more(self._seen.failures or (), now, settings)
        if len(failures) < settings["failure_threshold"]:
            self._see(self._store.count(self._seen, failures))
        else:
            self._see(self._store.open(self._seen, now, now + settings["open_seconds"]))
            self._reports.opened(self._seen, error)

    def _store_failed(self, failure: StoreUnavailable) -> None:
        self._store_pause_until = self._clock() + STORE_PAUSE_SECONDS
        self._reports.store_unavailable(failure.__cause__ or failure)
