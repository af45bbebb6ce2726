"""CPU time of one request to a warm function with 100 routes: from the gateway's event to its answer.

Both get the same events, one for each route, and give the same answers. First without logs and metrics: ours is then
all that its handler does, which is more than the peer's (who is calling, types, sizes and strictness of the body, plain
path parameters, a correlation id). Then with them: a line and a metric for each request on both sides.
"""

import contextlib
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from bench.api_environment import api_variables, request_event, write_routes
from bench.figure import Figure
from bench.lambda_environment import Context

NAMES = ("api_dispatch_cpu_vs_powertools", "api_logged_dispatch_cpu_vs_powertools")

RESOURCES = ["/things", *(f"/things{number}" for number in range(1, 25))]
METHODS = (("GET", ""), ("POST", ""), ("GET", "/{thing_id}"), ("PUT", "/{thing_id}"))
ROUTES = [f"{method} {resource}{rest}" for resource in RESOURCES for method, rest in METHODS]
ROUNDS = 40

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def figures() -> list[Figure]:
    with _quiet_lambda():
        ours, peer = _ours(), _powertools()
        events = [_event(route) for route in ROUTES]
        return [_figure(name, *pair, events) for name, *pair in zip(NAMES, ours, peer, strict=True)]


def _figure(name: str, ours: Handler, peer: Handler, events: Sequence[dict[str, Any]]) -> Figure:
    for event in events:
        _check_equal(ours(event, Context()), peer(event, Context()))
    ours_seconds, peer_seconds = _least(ours, peer, events=events)
    logged = name == NAMES[1]
    return Figure(
        name=name,
        value=round(ours_seconds / peer_seconds, 3),
        unit="ratio",
        peer=1.0,
        better="lower",
        goal=1.25,
        measured=f"ours {ours_seconds * 1e6:.0f} us, Powertools {peer_seconds * 1e6:.0f} us a request, "
        + ("a log line and a metric each" if logged else "no logs, no metrics"),
    )


def _ours() -> tuple[Handler, Handler]:
    """The shipped handler: silent, and as it is deployed."""
    from serverless_patterns_runtime.api_proxy.edge import Edge
    from serverless_patterns_runtime.api_proxy.handler import process

    edge = Edge.from_environment()
    silent = edge._replace(logger=_Silent(), metrics=_Silent())
    return lambda event, context: process(event, context, silent), lambda event, context: process(event, context, edge)


def _powertools() -> tuple[Handler, Handler]:
    """The resolver alone, and the handler around it."""
    from bench.functions import powertools_things as peer

    for resource in RESOURCES[1:]:
        peer.app.get(resource)(peer.show_all)
        peer.app.post(resource)(peer.add)
        peer.app.get(f"{resource}/<thing_id>")(peer.show)
        peer.app.put(f"{resource}/<thing_id>")(peer.replace)
    return peer.app.resolve, peer.lambda_handler


class _Silent:
    """A logger and metrics that cost next to nothing."""

    log_level = 20
    _nothing = contextlib.nullcontext()

    def append_context_keys(self, **_: Any) -> contextlib.AbstractContextManager[None]:
        return self._nothing

    def _ignore(self, *_: Any, **__: Any) -> None: ...

    append_keys = info = error = add_metric = flush_metrics = _ignore


def _event(route: str) -> dict[str, Any]:
    reads = route.startswith("GET")
    params = {"thing_id": "4711"} if route.endswith("}") else None
    return request_event(route, None if reads else {"name": "a thing", "price": 12}, params=params)


def _check_equal(ours: dict[str, Any], peer: dict[str, Any]) -> None:
    """White space of the JSON apart."""
    ours, peer = ({**answer, "body": json.loads(answer["body"])} for answer in (ours, peer))
    if ours != peer or ours["statusCode"] != 200:
        raise RuntimeError(f"the answers differ: ours {ours}, Powertools {peer}")


def _least(*handlers: Handler, events: Sequence[dict[str, Any]]) -> list[float]:
    """CPU seconds a request: the least of interleaved rounds, which other work on the machine disturbs least."""
    least = [float("inf")] * len(handlers)
    for _ in range(ROUNDS):
        for position, handler in enumerate(handlers):
            least[position] = min(least[position], _cpu_seconds(handler, events))
    return least


def _cpu_seconds(handler: Handler, events: Sequence[dict[str, Any]]) -> float:
    context = Context()
    gc.collect()
    started = time.process_time()
    for event in events:
        handler(event, context)
    return (time.process_time() - started) / len(events)


@contextlib.contextmanager
def _quiet_lambda() -> Generator[None]:
    """Lambda's variables and a function's folder; what is logged goes where it costs next to nothing."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        write_routes(Path(folder), ROUTES)
        os.environ |= api_variables("bench.functions.things:answer", Path(folder))
        with contextlib.redirect_stdout(nowhere):
            yield
