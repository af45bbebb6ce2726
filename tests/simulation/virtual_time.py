"""A virtual clock, and threads of which exactly one runs: whoever holds the baton decides by the clock who is next."""

import heapq
import random
import threading
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

__all__ = ["Actor", "Killed", "Schedule", "here"]


class Killed(BaseException):
    """The process of this thread is gone. Shipped code must not be able to catch it as an error of its own."""


class Actor:
    """A thread of the code under test. It stops only in `Schedule.wait`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.killed = False
        self.finished = False
        self.sandbox: Any = None
        """Where its thread runs, if in one."""
        self.turn = 0
        """Counts resumptions, so that an alarm set for an earlier wait rings for nobody."""
        self.started = False
        self._baton = threading.Lock()
        self._baton.acquire()
        self._ended = threading.Lock()
        self._ended.acquire()

    def take_baton(self) -> None:
        self._baton.acquire()

    def give_baton(self) -> None:
        self._baton.release()

    def end(self) -> None:
        self._ended.release()

    def wait_for_end(self) -> None:
        self._ended.acquire()


class Worker(threading.Thread):
    """Threads are kept from one actor to the next, and from one schedule to the next: starting one is slow."""

    idle: ClassVar[list["Worker"]] = []

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._wanted = threading.Lock()
        self._wanted.acquire()
        self._work: Callable[[], None] = lambda: None

    @classmethod
    def carry_out(cls, work: Callable[[], None]) -> None:
        try:
            worker = cls.idle.pop()
        except IndexError:
            worker = cls()
            worker.start()
        worker._work = work
        worker._wanted.release()

    def run(self) -> None:
        while True:
            self._wanted.acquire()
            self._work()
            self.idle.append(self)


_here = threading.local()
"""Which schedule and actor the calling thread belongs to."""


def here() -> tuple["Schedule", Actor]:
    return _here.schedule, _here.actor


class Schedule:
    """Events in order of virtual time; ties fall as the seed says."""

    def __init__(self, chance: random.Random, start: float) -> None:
        self.now = start
        self.chance = chance
        self.failure: BaseException | None = None
        self._events: list[tuple[float, float, int, Callable[[], None] | tuple[Actor, int]]] = []
        self._number = 0
        self._main = Actor("main")
        self._limit = float("inf")
        self._actors: set[Actor] = set()
        self._works: dict[Actor, Callable[[], None]] = {}

    def at(self, time: float, event: Callable[[], None] | tuple[Actor, int]) -> None:
        self._number += 1
        heapq.heappush(self._events, (max(time, self.now), self.chance.random(), self._number, event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        self.at(self.now + seconds, event)

    def run(self, until: float = float("inf")) -> None:
        """Until nothing is left to happen before `until`. Raises what an event raised."""
        self._limit = until
        _here.schedule, _here.actor = self, self._main
        self._advance(self._main)
        if self.failure is not None:
            self.close()
            raise self.failure

    def spawn(self, name: str, work: Callable[[], None]) -> Actor:
        """A new actor that starts at the present moment, in its turn."""
        actor = Actor(name)
        self._actors.add(actor)
        self._works[actor] = work
        self.at(self.now, (actor, 0))
        return actor

    def wait(self, seconds: float) -> None:
        """Let virtual time pass in the calling thread. Raises Killed when its process dies meanwhile."""
        actor = self.current()
        self._check(actor)
        self.at(self.now + seconds, (actor, actor.turn))
        self._advance(actor)
        self._check(actor)

    def park(self) -> None:
        """Wait for a `wake`."""
        actor = self.current()
        self._check(actor)
        self._advance(actor)
        self._check(actor)

    def wake(self, actor: Actor) -> None:
        self.at(self.now, (actor, actor.turn))

    def kill(self, actor: Actor) -> None:
        """Its wait ends now, with Killed; so does every wait it tries after."""
        if not actor.killed and not actor.finished:
            actor.killed = True
            self.at(self.now, (actor, actor.turn))

    def fail(self, failure: BaseException) -> NoReturn:
        """End the whole run with `failure`, in a way that the code under test cannot catch."""
        self.failure = self.failure or failure
        raise Killed

    def current(self) -> Actor:
        return _here.actor

    def close(self) -> None:
        """End all threads, wherever they are."""
        self._limit = float("-inf")
        for actor in [actor for actor in self._actors if actor.started]:
            actor.killed = True
            actor.give_baton()
            actor.wait_for_end()

    def _run(self, actor: Actor) -> None:
        """In a thread of its own, from the moment the baton is handed to it."""
        _here.schedule, _here.actor = self, actor
        try:
            if not actor.killed:
                self._works[actor]()
        except Killed:
            pass
        except BaseException as failure:
            self.failure = self.failure or failure
        actor.finished = True
        self._actors.discard(actor)
        actor.end()
        if self._limit != float("-inf"):
            self._advance(None)

    def _hand_over(self, actor: Actor) -> None:
        if actor.started or actor is self._main:
            actor.give_baton()
        else:
            actor.started = True
            Worker.carry_out(lambda: self._run(actor))

    def _check(self, actor: Actor) -> None:
        if actor.killed:
            raise Killed

    def _advance(self, me: Actor | None) -> None:
        """Holding the baton, make events happen until it is `me` who goes on, or hand the baton on."""
        while True:
            if self.failure is not None or not self._events or self._events[0][0] > self._limit:
                following = self._main
            else:
                self.now, _, __, event = heapq.heappop(self._events)
                if callable(event):
                    try:
                        event()
                    except BaseException as failure:
                        self.failure = self.failure or failure
                    continue
                following, turn = event
                if following.finished or following.turn != turn:
                    continue
                following.turn += 1
            if following is me:
                return
            self._hand_over(following)
            if me is not None:
                me.take_baton()
            return
