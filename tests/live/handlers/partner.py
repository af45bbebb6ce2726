"""Business functions that call a partner over HTTP; when it is down, they fail."""

import os
import urllib.error
import urllib.request

from serverless_patterns_runtime import Effects, Invocation, PermanentError, Request, Response, Update

SECONDS = 60


class PartnerDown(Exception):
    """It answered 5xx, or not at all."""


class PartnerTooSlow(PartnerDown):
    """A kind of it, to be counted by its base class."""


def quote(request: Request) -> dict:
    """An answer that the partner was asked for."""
    if request.params["id"] == "unknown":
        raise PermanentError("no such thing", status=404)
    _ask(f"/quotes/{request.params['id']}")
    return {"price": 500}


def last_known(request: Request, invocation: Invocation) -> Response:
    """What is answered instead."""
    invocation.logger.info("answered from memory")
    return Response(200, {"price": 490, "of": request.params["id"]}, headers={"X-From": "memory"})


def pay(request: Request) -> Effects:
    """The partner is asked, and the ledger counts commits."""
    _ask(f"/payments/{request.body['id']}")
    mark = Update("LEDGER", {"id": request.body["id"]}, add={"times": 1})
    return Effects(writes=[mark], result=Response(201, {"paid": request.body["id"]}))


def not_now(request: Request) -> Response:
    """A fallback that takes the order and nothing else."""
    return Response(202, {"later": request.body["id"]})


def book(order: dict, invocation: Invocation) -> Effects:
    """As `pay`, behind a queue."""
    _ask(f"/bookings/{order['id']}")
    facts = {"attempt": invocation.attempt, "version": os.environ["VERSION"]}
    return Effects(writes=[Update("LEDGER", {"id": order["id"]}, add={"times": 1}, set=facts)])


def _ask(path: str) -> None:
    try:
        with urllib.request.urlopen(f"{os.environ['PARTNER']}{path}", timeout=SECONDS):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise PartnerTooSlow from None
    except OSError:
        raise PartnerDown from None
