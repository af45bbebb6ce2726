"""Requests to AWS that a router makes besides forwarding, for 1,000 requests within one cache age, on both sides."""

import contextlib
import importlib
import os
import tempfile
from pathlib import Path

from bench.fake_aws import FakeAws
from bench.figure import Figure
from bench.lambda_environment import Context
from bench.router_environment import profile_event, router_variables, site, write_migration

NAMES = ("router_added_requests",)

REQUESTS = 1000


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere, FakeAws() as aws, site() as url:
        write_migration(Path(folder), url, percent=50)
        os.environ |= router_variables(Path(folder), url) | {"AWS_ENDPOINT_URL": aws.url}
        handler = importlib.import_module("serverless_patterns_runtime.strangler_gateway.handler")
        with contextlib.redirect_stdout(nowhere):
            for number in range(20):  # both sides, once each at least
                handler.lambda_handler(profile_event(number), Context())
            first = aws.requests()
            for number in range(REQUESTS):
                handler.lambda_handler(profile_event(number), Context())
        made = sum(aws.requests().values())
    if not {"Query", "GetItem"} <= first.keys():
        raise RuntimeError(f"the router has not looked at its tables, or not at AWS: {first}")
    figure = Figure(
        name=NAMES[0],
        value=made,
        unit="requests",
        floor=0,
        better="lower",
        goal=0,
        measured=f"for {REQUESTS:,} requests while cached, half of them to the new side; before, once: "
        + ", ".join(f"{count} {operation}" for operation, count in sorted(first.items())),
    )
    return [figure]
