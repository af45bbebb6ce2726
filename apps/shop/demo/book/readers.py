"""Readers of lists that nobody changes: whatever is done to the view meanwhile, each page has to be the same."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from demo.book.counter import Counter
from demo.book.customers import shown

Rows = Mapping[str, Mapping[str, Any]]
PAUSE = 0.1  # seconds between looks: readers of a laptop must not be all that it does


@dataclass(frozen=True)
class Look:
    at: float
    customer: str
    status: int
    rows: Rows


class Readers:
    """Look at the customers' lists in turn, from the beginning of the block to its end."""

    def __init__(self, counter: Counter, customers: Sequence[str]) -> None:
        self._counter, self._customers = counter, customers
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self.looks: list[Look] = []

    def __enter__(self) -> "Readers":
        self._running = self._pool.submit(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._pool.shutdown()
        self._running.result()

    def _read(self) -> None:
        for customer in itertools.cycle(self._customers):
            if self._closed.wait(PAUSE):
                return
            answer = self._counter.page(customer)
            rows = {row["order_id"]: shown(row) for row in answer.said("rows") or ()}
            self.looks.append(Look(time.time(), customer, answer.status, rows))
