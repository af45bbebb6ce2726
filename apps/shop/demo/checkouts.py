"""What was seen of an evening's checkouts: plain facts, from which checks and report are made."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.api import Answer
from demo.provider.ledger import Charge
from demo.saga_faults import Struck
from demo.sagas import Execution
from demo.shoppers import Shopper
from demo.troubles import COMPENSATED, SUCCEEDED


@dataclass(frozen=True)
class Books:
    """What stands in the tables and at the provider while nothing moves."""

    stock: Mapping[int, int]
    """Pieces on hand by product id."""
    checkouts: Mapping[str, Mapping[str, Any]]
    """Rows by checkout."""
    charges: Sequence[Charge]

    def status(self, checkout_id: str) -> str | None:
        """None: there is no row."""
        return self.checkouts[checkout_id]["status"] if checkout_id in self.checkouts else None

    def charged(self) -> Counter[str]:
        """How often money was taken for a checkout, given back or not."""
        return Counter(charge.purpose for charge in self.charges)

    def kept(self) -> Counter[str]:
        """Cents that the provider has taken and not given back, by checkout."""
        kept: Counter[str] = Counter()
        for charge in self.charges:
            kept[charge.purpose] += charge.amount - charge.refunded
        return kept


@dataclass(frozen=True)
class Checkouts:
    shoppers: Sequence[Shopper]
    opening: Mapping[int, int]
    """Pieces on hand by product id before the first checkout."""
    executions: Mapping[str, Execution]
    """By checkout."""
    resumed: Mapping[str, str]
    """How those ended that a person has resumed, by checkout."""
    open: Sequence[str]
    """Checkouts that still need a person."""
    books: Books
    """After all of that."""
    answers: Sequence[Answer]
    """Of the API, to every call that was made."""
    started: int
    """Executions of the state machine, whoever wanted them."""
    struck: Sequence[Struck]

    @property
    def befallen(self) -> list[Shopper]:
        """Whom something befell."""
        return [shopper for shopper in self.shoppers if shopper.trouble.step]

    def final(self, checkout_id: str) -> str:
        """How it ended, after it was resumed if it was; empty for one that never began."""
        execution = self.executions.get(checkout_id)
        resumed = self.resumed.get(checkout_id, "")
        if execution is None or resumed not in (SUCCEEDED, COMPENSATED):
            return execution.status if execution else ""
        return resumed

    def of_status(self, status: str) -> list[Execution]:
        """Executions that ended so by themselves."""
        return [execution for execution in self.executions.values() if execution.status == status]
