"""A row that another aggregate had: who has it next, and how nobody's late write takes it back."""

from collections.abc import Callable

from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_views.giving_up import GivenUp, given_up
from serverless_patterns_runtime.cqrs_views.sink import Contested, RowChange, Sink, SinkUnavailable, StoredRow
from serverless_patterns_runtime.cqrs_views.views import Row, View

__all__ = ["take_over"]

ROUNDS = 5


def take_over(
    view: View, sink: Sink, generation: int, contested: Contested, read: Callable[[], Aggregate | None], is_end: bool
) -> None:
    """Say what the row is now, if nobody has it any more. `read`: the aggregate, as it is then.

    The place of a tombstone is taken by what is read after the tombstone was seen, and only from exactly that one. A
    later change of ours, if there is one, meets the same tombstone and takes it, or what we wrote and replaces it: so
    neither is undone. `is_end`: nothing comes after the change.

    Raises GivenUp, SinkUnavailable, Unstorable, and what `read` raises.
    """
    found: StoredRow = contested.found
    for _ in range(ROUNDS):
        now = read()
        if now is not None and now.version is not None:
            change = RowChange(contested.change.key, now.version, now.key, _row(view, now, contested))
        elif is_end and contested.change.row is None:
            change = contested.change
        else:
            return
        if found.row is not None:
            if change.row is None:
                return
            raise GivenUp("contested", "another aggregate has a row with the same key")
        if sink.replace_tombstone(generation, change, found):
            return
        again = sink.write(generation, [change])
        if not again:
            return
        found = again[0].found
    raise SinkUnavailable("others change the same row, again and again")


def _row(view: View, now: Aggregate, contested: Contested) -> Row | None:
    try:
        return view.rows(now).get(contested.change.key)
    except Exception as error:
        raise given_up(error) from error
