"""What the provider knows: keys, charges, and what was given back. No HTTP in here."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

KEY_LIFETIME_SECONDS = 86_400.0

Answer = tuple[int, Mapping[str, Any]]
"""Status and body."""


@dataclass
class Charge:
    """In cents. The reference is the shop's; there can be two charges with one, if the shop lets it happen."""

    charge_id: str
    reference: str
    purpose: str
    """What the customer reads."""
    amount: int
    refunded: int = 0


@dataclass
class _Key:
    request: tuple[str, str, int]
    until: float
    answer: Answer | None = None
    """None: still at work."""


class Ledger:
    """Safe to use from several threads."""

    def __init__(self, key_lifetime: float = KEY_LIFETIME_SECONDS, clock: Callable[[], float] = time.time) -> None:
        """`key_lifetime`, in seconds: after it a key is like new, and charges again."""
        self.charges: list[Charge] = []
        self._lifetime, self._clock = key_lifetime, clock
        self._keys: dict[str, _Key] = {}
        self._called_off: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, key: str, reference: str, purpose: str, amount: int) -> Answer | None:
        """Take in a request to charge: None, and `finish` it; or what there is to answer at once."""
        with self._lock:
            known = self._keys.get(key)
            if known is None or known.until <= self._clock():
                self._keys[key] = _Key((reference, purpose, amount), self._clock() + self._lifetime)
                return None
            if known.request != (reference, purpose, amount):
                return 422, {"error": "the key was used for something else"}
            return known.answer or (409, {"error": "at work on it"})

    def finish(self, key: str) -> Answer:
        """Charge what has begun, if it was not called off meanwhile."""
        with self._lock:
            entry = self._keys[key]
            reference, purpose, amount = entry.request
            if reference in self._called_off:
                entry.answer = 410, {"error": "called off"}
            else:
                charge = Charge(f"ch_{len(self.charges) + 1:06}", reference, purpose, amount)
                self.charges.append(charge)
                entry.answer = 201, asdict(charge)
            return entry.answer

    def decline(self, key: str) -> Answer:
        """Refuse what has begun, for good."""
        with self._lock:
            self._keys[key].answer = answer = (402, {"error": "declined"})
            return answer

    def find(self, reference: str) -> list[Charge]:
        """All charges with a reference, whether their keys are remembered or not."""
        with self._lock:
            return [charge for charge in self.charges if charge.reference == reference]

    def refund(self, reference: str) -> Answer:
        """Give back all that was charged, and see to it that nothing more is. Asked again, it is done already."""
        with self._lock:
            if any(key.answer is None and key.request[0] == reference for key in self._keys.values()):
                return 409, {"error": "at work on the charge"}
            self._called_off.add(reference)
            given_back = 0
            for charge in self.charges:
                if charge.reference == reference:
                    given_back += charge.amount - charge.refunded
                    charge.refunded = charge.amount
            return 201, {"reference": reference, "refunded": given_back}
