"""CPU time of one request to a warm router, beside a proxy of 30 lines that checks nothing and has one side.

Both forward the same events over a kept connection to a site on this machine, and read the same page. Ours is a route
that migrates: who is calling, on which side he is, every check, a deadline, and a line with metrics.
"""

import contextlib
import gc
import importlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.fake_aws import FakeAws
from bench.figure import Figure
from bench.lambda_environment import Context
from bench.router_environment import profile_event, router_variables, site, write_migration

NAMES = ("router_cpu_ms_vs_bare_proxy",)

ROUNDS = 60
REQUESTS_A_ROUND = 50

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere, FakeAws() as aws, site() as url:
        write_migration(Path(folder), url, percent=5)
        os.environ |= router_variables(Path(folder), url) | {"AWS_ENDPOINT_URL": aws.url}
        handler = importlib.import_module("serverless_patterns_runtime.strangler_gateway.handler")
        peer = importlib.import_module("bench.functions.bare_proxy")
        with contextlib.redirect_stdout(nowhere):
            return [_figure(handler.lambda_handler, peer.lambda_handler)]


def _figure(ours: Handler, peer: Handler) -> Figure:
    events = [profile_event(number) for number in range(REQUESTS_A_ROUND)]
    for event in events:
        _check_forwarded(ours(event, Context()), peer(event, Context()))
    ours_seconds, peer_seconds = _least(ours, peer, events=events)
    return Figure(
        name=NAMES[0],
        value=round(ours_seconds / peer_seconds, 3),
        unit="ratio",
        peer=1.0,
        better="lower",
        goal=1.3,
        measured=f"ours {ours_seconds * 1e3:.3f} ms, a bare proxy {peer_seconds * 1e3:.3f} ms a request",
    )


def _check_forwarded(ours: dict[str, Any], peer: dict[str, Any]) -> None:
    cookies = [answer["multiValueHeaders"]["Set-Cookie"] for answer in (ours, peer)]
    if ours["statusCode"] != 200 or peer["statusCode"] != 200 or cookies[0] != cookies[1]:
        raise RuntimeError(f"the answers differ: ours {ours}, the proxy's {peer}")


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
