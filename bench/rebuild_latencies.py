"""How fast a rebuild fills a view beside a bare scan, where each request takes a stated time.

The embedded cloud shares its processor with the functions and answers a scan from memory: `rebuild_rate` says more of
it than of a rebuild. Here both sides of each ratio ask the same model in the same run. It holds a table in memory, and
answers each page of a scan, batch and write after the time that is stated below, which is about what DynamoDB takes; no
other latency, throttle or capacity is in it. So what is measured is what a rebuild makes of those waits with its own
processor time: shipped code, real threads, one segment. Times are of a wall clock: on a busy machine a rebuild looks
slower than it is, and the scan hardly does. The lag of changes is measured while another process rebuilds, as another
function does: the projector then looks at two generations, and at its aggregates, as it does for a quarter of an hour.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from statistics import median
from typing import Any

from bench.figure import Figure
from bench.rebuild_rate import item, projector_over, view_over, write_model

NAMES = ("rebuild_rate_vs_bare_scan", "rebuild_live_lag_ratio")

AGGREGATES = 4_000
ROUNDS = 5
SCAN_SECONDS, BATCH_SECONDS, WRITE_SECONDS = 0.050, 0.025, 0.008
STATED = {
    "a page of 500 items": SCAN_SECONDS,
    "25 statements, or 100 keys": BATCH_SECONDS,
    "a write": WRITE_SECONDS,
}

BATCH = 20
"""Records of the stream at once."""

LAGS = 9


class Latencies:
    """What is asked of DynamoDB by a rebuild's scan and by a projector, answered after the stated time."""

    def __init__(self, *, rebuilt: bool = False) -> None:
        self.rebuilt = rebuilt

    def scan(self, ExclusiveStartKey: Any = None, Limit: int = 0, **_: Any) -> Any:
        time.sleep(SCAN_SECONDS)
        first = 0 if ExclusiveStartKey is None else int(ExclusiveStartKey["n"]["N"])
        last = min(first + Limit, AGGREGATES)
        more = {"LastEvaluatedKey": {"n": {"N": str(last)}}} if last < AGGREGATES else {}
        return {"Items": [item(number, 1) for number in range(first, last)], **more}

    def batch_execute_statement(self, Statements: Sequence[Any]) -> Any:
        time.sleep(BATCH_SECONDS)
        return {"Responses": [{} for _ in Statements]}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> Any:
        time.sleep(BATCH_SECONDS)
        if "control" in RequestItems:
            return {"Responses": {"control": [self._pointer()]}}
        keys = [key["order_id"]["S"] for key in RequestItems["orders"]["Keys"]]
        return {"Responses": {"orders": [item(int(key.removeprefix("o-")), 2) for key in keys]}}

    def _pointer(self) -> Any:
        started = {"1": {"N": "0"}, **({"2": {"N": str(int(time.time() * 1000))}} if self.rebuilt else {})}
        numbers = {"live": {"N": "1"}, **({"building": {"N": "2"}} if self.rebuilt else {})}
        return {"item": {"S": "view/ByCustomer"}, **numbers, "started_at": {"M": started}}

    def put_item(self, **_: Any) -> Any:
        time.sleep(WRITE_SECONDS)
        return {}


def figures() -> list[Figure]:
    rounds = [_round() for _ in range(ROUNDS)]
    rate = median(one["scan"] / one["rebuild"] for one in rounds)
    lag = median(one["meanwhile"] / one["quiet"] for one in rounds)
    took = {name: median(one[name] for one in rounds) for name in rounds[0]}
    scanned, filled = AGGREGATES / took["scan"], AGGREGATES / took["rebuild"]
    stated = ", ".join(f"{seconds * 1000:.0f} ms for {what}" for what, seconds in STATED.items())
    said = f"{filled:,.0f} aggregates a second, a bare scan {scanned:,.0f}; {stated}"
    late = f"{BATCH} changes: {took['meanwhile'] * 1000:.0f} ms during a rebuild, {took['quiet'] * 1000:.0f} ms without"
    return [
        Figure(name=NAMES[0], value=rate, unit="ratio", floor=1, better="higher", goal=0.5, measured=said),
        Figure(name=NAMES[1], value=lag, unit="ratio", floor=1, better="lower", measured=late),
    ]


def _round() -> Mapping[str, float]:
    """Seconds of each, one after the other: what else the machine does meets both sides."""
    scan, rebuild = _timed(_bare_scan), _timed(_fill)
    quiet = median(_lag(rebuilt=False) for _ in range(LAGS))
    processes = get_context("spawn")
    begun, over = processes.Event(), processes.Event()
    other = processes.Process(target=_fill_until, args=(begun, over))
    other.start()
    begun.wait()
    meanwhile = median(_lag(rebuilt=True) for _ in range(LAGS))
    over.set()
    other.join()
    return {"scan": scan, "rebuild": rebuild, "quiet": quiet, "meanwhile": meanwhile}


def _fill_until(begun: Any, over: Any) -> None:
    """In another process, as a rebuild is another function."""
    while not over.is_set():
        begun.set()
        _fill()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _scan_of(dynamodb: Any) -> Any:
    from serverless_patterns_runtime.cqrs_views.scanning import Scan

    return Scan(write_model(dynamodb), time.time)


def _bare_scan() -> None:
    scan, resume = _scan_of(Latencies()), None
    while True:
        page = scan.page(0, 1, resume)
        resume = page.resume
        if resume is None:
            return


def _fill() -> None:
    """As `Rebuild.scan` does: a page is written while the next one is read."""
    from serverless_patterns_runtime.cqrs_views.filling import Filling
    from serverless_patterns_runtime.cqrs_views.inserting import inserting
    from serverless_patterns_runtime.cqrs_views.page_fill import PageFill
    from serverless_patterns_runtime.cqrs_views.together import Together

    dynamodb, together, ahead = Latencies(), Together(), Together(most=2)
    scan, view = _scan_of(dynamodb), inserting(view_over(dynamodb, together))
    filling = Filling(view, 2, scan.model, together, lambda: 900.0, time.sleep, random.Random(1))
    fill = PageFill(filling, scan, _unexpected)
    page = scan.page(0, 1, None)
    while page.resume is not None:
        resume = page.resume
        works: list[Callable[[], Any]] = [
            lambda page=page: fill(page, tolerant=True),
            lambda resume=resume: scan.page(0, 1, resume),
        ]
        _, page = ahead(works)
    fill(page, tolerant=True)


def _lag(*, rebuilt: bool) -> float:
    """Seconds from a batch's arrival until its changes are in every generation."""
    from serverless_patterns_runtime.cqrs_views.records import Change

    projector = projector_over(Latencies(rebuilt=rebuilt))
    changes = [Change(f"o-{number}", item(number, 1), item(number, 2), time.time()) for number in range(BATCH)]
    began = time.perf_counter()
    outcome = projector.project(changes, lambda: 60.0)
    if outcome.failed or outcome.parked:
        raise RuntimeError("a change was not projected")
    return time.perf_counter() - began


def _unexpected(*refused: object) -> None:
    raise RuntimeError(f"not projected: {refused}")
