"""Whose a place is that a write was refused, where the store says so only when it is asked for it afterwards."""

from collections.abc import Callable, Sequence

from serverless_patterns_runtime.cqrs_views.sink import Contested, RowChange, RowKey, SinkUnavailable, StoredRow

__all__ = ["contested_of"]

ROUNDS = 10


def contested_of(
    refused: Sequence[RowChange],
    read: Callable[[Sequence[RowKey]], Sequence[StoredRow | None]],
    write: Callable[[Sequence[RowChange]], Sequence[RowChange]],
) -> list[Contested]:
    """What of the refused is another aggregate's place. `write` tries some once more: returns those refused again.

    Meanwhile an older change of the same aggregate may have taken the place over: so the newer one is decided again.
    """
    told: list[Contested] = []
    for _ in range(ROUNDS):
        again: list[RowChange] = []
        for change, there in zip(refused, read([change.key for change in refused]), strict=True):
            other = there or StoredRow(change.key, 0, "", None)  # its time has ended meanwhile: as another aggregate's
            if other.source == change.source:
                again += [change] if other.version < change.version else []
            elif change.row is not None or other.row is None:
                told.append(Contested(change, other))
        if not again:
            return told
        refused = write(again)
    raise SinkUnavailable("others change the same rows, again and again")
