"""Runs the fault proxy with two changes that only a proxy between a function and an emulator wants.

The Host header stays as the function signed it, or the emulator, enforcing IAM, would refuse every signature. And hosts
are not matched against the endpoints of all AWS services, which costs seconds at the first call: a loopback address
is none of them. Pinned, because both are private.
"""

import sys
from importlib.metadata import version
from typing import Any

from microburst import forward  # pyright: ignore[reportMissingTypeStubs]
from microburst.cli import main as serve  # pyright: ignore[reportMissingTypeStubs]
from microburst.detection import host  # pyright: ignore[reportMissingTypeStubs]

PROXY = "0.10.0"


def keep_signed_host(upstream: Any) -> None:
    """Let requests leave with the Host header they came with."""
    as_shipped = upstream._outbound_headers

    def headers(self: Any, request: Any) -> dict[str, str]:
        return {**as_shipped(self, request), "host": request.headers["Host"]}

    upstream._outbound_headers = headers


def skip_endpoint_index(detection: Any) -> None:
    """Let no host be an AWS endpoint."""
    detection._endpoint_prefix_map = dict[str, str]


def main() -> None:
    """Check the pin and the hooks, then serve."""
    found = version("microburst")
    if found != PROXY or not (hasattr(forward.Upstream, "_outbound_headers") and hasattr(host, "_endpoint_prefix_map")):
        sys.exit(f"the fault proxy must be microburst {PROXY} with its hooks, found {found}")
    keep_signed_host(forward.Upstream)
    skip_endpoint_index(host)
    serve()


if __name__ == "__main__":
    main()
