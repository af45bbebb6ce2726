"""The payment provider's API, as far as the shop uses it: plain HTTP, with a short patience."""

import json
import os
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

PATIENCE_SECONDS = 4.0
SERVER_ERROR = 500


class ProviderFailed(Exception):
    """It said so. Whether it has done what it was asked is not known."""


class NoAnswer(Exception):
    """It may still be at work."""


def charge(key: str, reference: str, purpose: str, amount: int) -> tuple[int, Any]:
    """Status and body of a request to charge so many cents.

    The reference is what to look the charge up by, the purpose what the customer reads of it.
    """
    body = {"reference": reference, "purpose": purpose, "amount": amount}
    return _ask("/charges", body, {"Idempotency-Key": key})


def find(reference: str) -> list[dict[str, Any]]:
    """Charges with this reference."""
    return _ask(f"/charges?reference={quote(reference, safe='')}")[1]["charges"]


def refund(reference: str, purpose: str) -> tuple[int, Any]:
    """Status and body of a request to give back what was charged, and to charge nothing more."""
    return _ask("/refunds", {"reference": reference, "purpose": purpose})


def _ask(path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Raises ProviderFailed and NoAnswer."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(
        os.environ["PAYMENT_PROVIDER"] + path, data, {"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            if refused.code >= SERVER_ERROR:
                raise ProviderFailed(f"it answered {refused.code}") from None
            return refused.code, json.load(refused)
    except (OSError, HTTPException, ValueError):
        raise NoAnswer from None
