"""A business function with a dependency of its own."""

from sortedcontainers import SortedList

from serverless_patterns_runtime import Effects, Put


def sort(work: dict) -> Effects:
    return Effects(writes=[Put("SORTED", {"id": work["id"], "values": list(SortedList(work["values"]))})])
