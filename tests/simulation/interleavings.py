"""Every order of the requests of several functions: no schedule is drawn, all are walked.

A function is its requests: what it does next depends on the answers that it has had and on nothing else. So its state
is that history; the shipped handler is run again from its beginning with the answers of a history to learn what it asks
next, once for each history. The world's state is the tables and queues. Two orders that lead to the same states are
walked on from there once, and counted as two.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import aws_errors
from .aws_errors import ServiceError

__all__ = ["FAULTS", "Actor", "Call", "Direct", "End", "Explorer", "State", "Step", "Violated", "World"]

FAULTS = ("crash before", "crash after", "crash in flight", "answer lost", "not carried out")
"""That a request may meet. In flight: carried out at any later moment, after its sender has died."""


class Violated(AssertionError):
    """An order of requests breaks an invariant; the message has the order."""


class Call(NamedTuple):
    service: str
    method: str
    arguments: str
    """Python's text of them: hashable, and read again when it is carried out."""
    asked: Any
    """The arguments themselves: never changed."""

    def __hash__(self) -> int:
        return hash((self.service, self.method, self.arguments))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self[:3] == other[:3]

    def __str__(self) -> str:
        return f"{self.method}"


class End(NamedTuple):
    """Of one run."""

    answer: Any
    error: str


class _Unanswered(BaseException):
    """The history ends here. Shipped code may catch it, and then asks something else: that is not heard."""


class _Tape:
    def __init__(self, answers: Sequence[Callable[[], Any]]) -> None:
        self._answers = iter(answers)
        self.asked: Call | None = None

    def ask(self, service: str, method: str, arguments: dict[str, Any]) -> Any:
        if self.asked is not None:
            raise _Unanswered
        try:
            answer = next(self._answers)
        except StopIteration:
            wrong = aws_errors.wrong_parameters(service, aws_errors.operation_name(service, method), arguments)
            assert not wrong, wrong
            self.asked = Call(service, method, repr(arguments), arguments)
            raise _Unanswered from None
        return answer()


class _Client:
    def __init__(self, tape: _Tape, service: str) -> None:
        self._tape = tape
        self._service = service

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda **arguments: self._tape.ask(self._service, method, arguments)


class Direct:
    """A client of a service that answers at once: for what nothing interleaves with."""

    def __init__(self, services: Mapping[str, Any], service: str) -> None:
        self._service = service
        self._of = services[service]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            try:
                return getattr(self._of, method)(**arguments)
            except ServiceError as error:
                operation = aws_errors.operation_name(self._service, method)
                raise aws_errors.client_error(self._service, operation, error) from None

        return call


Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Actor:
    """A message that is delivered until it is acknowledged, or a function that runs once for each death of it."""

    name: str
    run: Callable[[Clients, int], Any]
    """The shipped handler, with these clients, for the n-th time from 1."""
    comes_back: Callable[[Any], bool]
    """Whether this answer of the handler's means another run."""
    alone: Callable[[Call], bool]
    """Whether a request has nothing to do with what any other actor asks: it is carried out at once."""


class World(NamedTuple):
    """Services by name, and how their state is taken down and put up again."""

    services: Mapping[str, Any]
    save: Callable[[], Any]
    load: Callable[[Any], None]
    text: Callable[[Any], str]
    """Of what was saved: the same for the same state."""


class State(NamedTuple):
    saved: Any
    text: str
    places: tuple[tuple[int, int], ...]
    """Of each actor: its run, from 1, or 0 once it is at its end; and its history."""
    faults: int
    """How many there may still be."""
    floating: tuple[Call, ...] = ()
    """Requests of the dead that are still on their way."""

    @property
    def key(self) -> tuple[Any, ...]:
        return self.text, self.places, self.faults, self.floating


class Outcome(NamedTuple):
    """Of one request: the world's state after it, and its answer."""

    saved: Any
    text: str
    answer: Callable[[], Any]


class Step(NamedTuple):
    label: str
    after: State
    ended: int | None = None
    """The actor that has come to its end, acknowledged."""


@dataclass
class Explorer:
    world: World
    actors: Sequence[Actor]
    judge_step: Callable[[State, Step], None]
    judge_end: Callable[[State], None]
    kinds: Sequence[str] = FAULTS
    histories: list[tuple[int, Callable[[], Any] | None]] = field(default_factory=lambda: [(-1, None)])
    """Each but the first: the one that it goes on from, and one more answer."""
    longer: dict[tuple[int, str], int] = field(default_factory=dict)
    known: dict[tuple[int, int, int], Call | End] = field(default_factory=dict)
    outcomes: dict[tuple[str, Call], "Outcome"] = field(default_factory=dict)
    """Of a request in a state of the world: whoever sent it, and whatever else is under way, it is the same."""
    walked: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """States, and how many orders lead from each to an end."""
    fired: set[str] = field(default_factory=set)
    """Faults that were met, with the request."""
    ends: int = 0
    runs: int = 0
    """Of handlers, to learn what they ask."""

    def explore(self, faults: int = 0) -> int:
        """How many orders there are. Raises Violated."""
        saved = self.world.save()
        places = tuple((1, 0) for _ in self.actors)
        return self._walk(State(saved, self.world.text(saved), places, faults), [])

    def _walk(self, state: State, path: list[str]) -> int:
        if state.key in self.walked:
            return self.walked[state.key]
        orders = 0
        for step in self._steps(state):
            path.append(step.label)
            self._judged(path, lambda step=step: self.judge_step(state, step))
            orders += self._walk(step.after, path)
            path.pop()
        if not orders:
            self.ends += 1
            self._judged(path, lambda: self.judge_end(state))
            orders = 1
        self.walked[state.key] = orders
        return orders

    def _judged(self, path: Sequence[str], judge: Callable[[], None]) -> None:
        try:
            judge()
        except AssertionError as failure:
            raise Violated(f"{failure}\nafter: {', '.join(path)}") from failure

    def _steps(self, state: State) -> Iterator[Step]:
        waiting = [
            (number, self._next(number, *place)) for number, place in enumerate(state.places) if place[0]
        ]  # an actor at its end has nothing to ask
        for number, asked in waiting:
            if isinstance(asked, End):
                yield self._ended(state, number, asked)
                return  # nobody else is concerned, so the order does not matter
        for number, asked in waiting:
            assert isinstance(asked, Call)
            if self.actors[number].alone(asked):
                yield from self._asked(state, number, asked)
                return
        for number, asked in waiting:
            assert isinstance(asked, Call)
            yield from self._asked(state, number, asked)
        for call in dict.fromkeys(state.floating):
            left = list(state.floating)
            left.remove(call)
            saved, text, _ = self._carried_out(state, call)
            yield Step(f"late {call}", state._replace(saved=saved, text=text, floating=tuple(left)))

    def _ended(self, state: State, number: int, end: End) -> Step:
        again = bool(end.error) or self.actors[number].comes_back(end.answer)
        run = state.places[number][0]
        after = self._moved(state, number, (run + 1, 0) if again else (0, 0))
        label = f"{self.actors[number].name} {'comes back' if again else 'ends'}"
        return Step(label, after, None if again else number)

    def _asked(self, state: State, number: int, call: Call) -> Iterator[Step]:
        name, (run, history) = self.actors[number].name, state.places[number]
        saved, text, answer = self._carried_out(state, call)
        done = state._replace(saved=saved, text=text)
        yield Step(f"{name} {call}", self._moved(done, number, (run, self._longer(history, answer))))
        if not state.faults:
            return
        for kind in self.kinds:
            self.fired.add(f"{kind} {call}")
            before, after = (one._replace(faults=state.faults - 1) for one in (state, done))
            lost = self._longer(history, _Lost(call.service))
            match kind:
                case "crash before":
                    met = self._moved(before, number, (run + 1, 0))
                case "crash after":
                    met = self._moved(after, number, (run + 1, 0))
                case "crash in flight":
                    floating = tuple(sorted((*before.floating, call), key=lambda one: one[:3]))
                    met = self._moved(before._replace(floating=floating), number, (run + 1, 0))
                case "answer lost":
                    met = self._moved(after, number, (run, lost))
                case _:
                    met = self._moved(before, number, (run, lost))
            yield Step(f"{name} {call} ({kind})", met)

    def _moved(self, state: State, number: int, place: tuple[int, int]) -> State:
        places = (*state.places[:number], place, *state.places[number + 1 :])
        return state._replace(places=places)

    def _carried_out(self, state: State, call: Call) -> "Outcome":
        which = state.text, call
        if which not in self.outcomes:
            self.world.load(state.saved)
            try:
                answered = _Answered(getattr(self.world.services[call.service], call.method)(**call.asked))
            except ServiceError as error:
                answered = _Failed(call, error)
            saved = self.world.save()
            self.outcomes[which] = Outcome(saved, self.world.text(saved), answered)
        return self.outcomes[which]

    def _longer(self, history: int, answer: Callable[[], Any]) -> int:
        which = history, str(answer)
        if which not in self.longer:
            self.longer[which] = len(self.histories)
            self.histories.append((history, answer))
        return self.longer[which]

    def _next(self, number: int, run: int, history: int) -> Call | End:
        which = number, run, history
        if which not in self.known:
            self.known[which] = self._learn(number, run, history)
        return self.known[which]

    def _learn(self, number: int, run: int, history: int) -> Call | End:
        answers: list[Callable[[], Any]] = []
        while history:
            history, answer = self.histories[history]
            assert answer is not None
            answers.insert(0, answer)
        tape = _Tape(answers)
        self.runs += 1
        end = End(None, "")
        try:
            end = End(self.actors[number].run(lambda service: _Client(tape, service), run), "")
        except _Unanswered:
            pass
        except AssertionError:
            if tape.asked is None:
                raise
        except Exception as error:
            end = End(None, type(error).__name__)
        return tape.asked or end


class _Answered:
    def __init__(self, answer: Any) -> None:
        body = answer.get("Body")
        self._content: bytes | None = body and body.read()
        self._answer = answer

    def __call__(self) -> Any:
        if self._content is None:
            return self._answer
        return {**self._answer, "Body": io.BytesIO(self._content)}

    def __str__(self) -> str:
        return json.dumps(self._answer, sort_keys=True, default=repr) if self._content is None else repr(self._content)


class _Failed:
    def __init__(self, call: Call, error: ServiceError) -> None:
        self._call = call
        self._error = error

    def __call__(self) -> Any:
        raise aws_errors.client_error(
            self._call.service, aws_errors.operation_name(self._call.service, self._call.method), self._error
        )

    def __str__(self) -> str:
        return (
            f"{self._error.code} {self._error.message} {json.dumps(self._error.fields, sort_keys=True, default=repr)}"
        )


class _Lost:
    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self) -> Any:
        raise aws_errors.connection_lost(self._service)

    def __str__(self) -> str:
        return "lost"
