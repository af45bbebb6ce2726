"""Where the generations of a view are, as its control item says."""

from serverless_patterns_runtime.cqrs_views.contract import Kind

__all__ = ["store_of"]


def store_of(place: str, kind: Kind, partition: str, sort: str | None) -> str:
    """Where generations of a view are: rows with another key are found by other values, and so are in another store.

    `place`: as `VIEW_TABLES` has it.
    """
    return place if kind == "totals" else f"{place} {partition} {sort or ''}"
