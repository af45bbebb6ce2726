"""What it means to charge a card, and to give the money back: at a provider, outside of every transaction."""

from typing import Any

import payment_provider
from payment_provider import NoAnswer

from serverless_patterns_runtime import PermanentError, StepInput, Unsettled

CREATED, PAYMENT_REQUIRED, CONFLICT = 201, 402, 409
SOON = 5  # seconds, until it is worth asking again


class CardDeclined(PermanentError):
    """The provider has charged nothing, and will not under this key."""


def charge(step: StepInput) -> dict[str, Any]:
    """Charge what was reserved: once while the provider knows the key, and never after that."""
    amount: int = step.results["ReserveStock"]["amount"]
    if step.key_expired:
        return _found(step.action_key)
    try:
        status, told = payment_provider.charge(step.external_key, step.action_key, step.input["checkout_id"], amount)
    except NoAnswer:
        raise Unsettled(SOON) from None
    if status == CREATED:
        return {"charge_id": told["charge_id"]}
    if status == PAYMENT_REQUIRED:
        raise CardDeclined("the card was declined")
    if status == CONFLICT:  # still at work on what was sent before
        raise Unsettled(SOON)
    raise PermanentError(f"the provider refused the charge with {status}: {told.get('error')}")


def refund(step: StepInput) -> dict[str, Any]:
    """Give back what was charged, if anything was; afterwards nothing can be. Whether it was may be unknown."""
    try:
        status, told = payment_provider.refund(step.action_key, step.input["checkout_id"])
    except NoAnswer:
        raise Unsettled(SOON) from None
    if status == CREATED:
        return {"refunded": told["refunded"]}
    if status == CONFLICT:
        raise Unsettled(SOON)
    raise PermanentError(f"the provider refused the refund with {status}: {told.get('error')}")


def _found(reference: str) -> dict[str, Any]:
    """Of a key that may be forgotten: sent now it could charge twice, so the charge is there or it is not."""
    charges = payment_provider.find(reference)
    if not charges:
        raise PermanentError("nothing was charged, and the key is too old to be sent")
    return {"charge_id": charges[0]["charge_id"]}
