"""A business function with a dependency of its own."""

from serverless_patterns_runtime import Effects, Put
from sortedcontainers import SortedList


def sort(work: dict) -> Effects:
    return Effects(writes=[Put("SORTED", {"id": work["id"], "values": list(SortedList(work["values"]))})])
