"""Pages for the live tests: each leaves a mark in a ledger, and so does the end of all of them."""

from serverless_patterns_runtime import Effects, Gathered, Invocation, PermanentError, Update


def render(page: dict, invocation: Invocation) -> Effects:
    if page.get("broken"):
        raise PermanentError("no page")
    if page.get("fails"):
        raise RuntimeError("not now")
    mark = Update("LEDGER", {"id": invocation.idempotency_key}, add={"times": 1})
    return Effects([mark], result={"bytes": page.get("bytes", 7)})


def done(gathered: Gathered) -> Effects:
    told = {
        "outcome": gathered.outcome,
        "items": gathered.items,
        "processed": gathered.processed,
        "failed": [[item.key, item.error_type] for item in gathered.failed],
        "bytes": sum(result["bytes"] for result in gathered.results.values()),
    }
    return Effects([Update("LEDGER", {"id": f"done {gathered.key}"}, add={"times": 1}, set=told)])
