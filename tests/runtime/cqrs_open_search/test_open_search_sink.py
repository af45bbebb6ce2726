"""What is OpenSearch's own of a view there. What every sink promises is in ../cqrs_sql/test_every_sink.py."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_open_search import connection, documents, open_search_sink
from serverless_patterns_runtime.cqrs_open_search.open_search_sink import OpenSearchSink
from serverless_patterns_runtime.cqrs_views import contract, settings
from serverless_patterns_runtime.cqrs_views.sink import (
    Contested,
    Misshapen,
    NotOurs,
    RowKey,
    SinkUnavailable,
    StoredRow,
    Unstorable,
)

from ..cqrs_sql.sinks import KEY, ROW, change, found_in
from .domain_model import Said
from .domain_server import DomainServer
from .store import REAL, OpenSearchStore

MODEL = pytest.mark.skipif(REAL is not None, reason="a fault that only the model can have")


class Interfering:
    """A connection that lets something happen before a request, as often as is said."""

    def __init__(self, sink: OpenSearchSink, before: str, does: Callable[[], object], times: int = 1) -> None:
        self._connection, self._before, self._does, self.left = sink.connection, before, does, times

    def ask(self, method: str, path: str, body: str = "", *also: int) -> Any:
        if self._before in f"{method} {path}" and self.left:
            self.left -= 1
            self._does()
        return self._connection.ask(method, path, body, *also)


def interfered(
    at: OpenSearchStore | OpenSearchSink, before: str, does: Callable[[], object], times: int = 1
) -> OpenSearchSink:
    sink = at.sink() if isinstance(at, OpenSearchStore) else at
    other: Any = Interfering(sink, before, does, times)
    return sink._replace(connection=other, indexes=sink.indexes._replace(connection=other))


def heard(store: OpenSearchStore) -> tuple[OpenSearchSink, list[Any]]:
    """A sink, and what it will have been answered."""
    asked, answers = store.sink().connection, list[Any]()

    class Heard:
        def ask(self, *what: Any) -> Any:
            answers.append((answer := asked.ask(*what)).body)
            return answer

    made: Any = Heard()
    return store.sink()._replace(connection=made), answers


# Writing.


def test_what_changes_between_reading_and_writing_is_decided_again(store: OpenSearchStore) -> None:
    other = store.sink()
    for before, mine, after in ((None, 2, 3), (3, 4, 5), (5, 7, 6)):
        assert found_in(other) is None if before is None else found_in(other).version == before
        sink = interfered(store, "_bulk", lambda after=after: other.write(1, [change(after)]))
        assert not sink.write(1, [change(mine)])
        assert found_in(other).version == max(mine, after)


def test_one_who_loses_a_place_to_another_aggregate_is_told_of_it(store: OpenSearchStore) -> None:
    theirs = change(1, ROW, "o-2")
    sink = interfered(store, "_bulk", lambda: store.sink().write(1, [theirs]))
    assert sink.write(1, [change(9)]) == [Contested(change(9), StoredRow(KEY, 1, "o-2", ROW))]


def test_a_tombstones_place_is_not_taken_from_what_came_meanwhile(store: OpenSearchStore) -> None:
    store.sink().write(1, [change(1, None)])
    seen = found_in(store.sink())
    sink = interfered(store, "_bulk", lambda: store.sink().write(1, [change(2)]))
    assert not sink.replace_tombstone(1, change(1, ROW, "o-2"), seen)
    assert found_in(sink) == StoredRow(KEY, 2, "o-1", ROW)


def test_one_whom_others_are_always_ahead_of_asks_again_later(store: OpenSearchStore) -> None:
    versions = iter(range(1, 100))
    sink = interfered(store, "_bulk", lambda: store.sink().write(1, [change(next(versions))]), times=100)
    with pytest.raises(SinkUnavailable, match="again and again"):
        sink.write(1, [change(1_000)])


def test_a_dropped_generation_is_not_made_again_by_a_late_write(store: OpenSearchStore) -> None:
    sink = interfered(store, "_bulk", lambda: store.sink().drop(1, 0, 1, None))
    with pytest.raises(SinkUnavailable, match="no index"):
        sink.write(1, [change(1)])
    with pytest.raises(SinkUnavailable, match="no index"):
        store.sink().write(1, [change(1)])
    for name in (f"{store.index}_g1", f"{store.index}_g1_rows"):
        assert store.sink().connection.ask("GET", f"/{name}", "", 404).status == 404


@MODEL
def test_a_batch_is_read_once_and_written_once(store: OpenSearchStore) -> None:
    asked = store.server.model.asked
    asked.clear()
    store.sink().write(1, [change(1, key=RowKey("ada", str(n))) for n in range(500)])
    assert [path.partition("?")[0].rpartition("/")[2] for _, path in asked] == ["_mget", "_bulk"]


@MODEL
def test_a_document_too_many_is_sent_in_halves_and_one_too_large_is_refused(store: OpenSearchStore) -> None:
    store.server.model.most_bytes = 3_000
    keys = [RowKey("ada", str(n)) for n in range(9)]
    rows = [{"text": "x" * (4_000 if n == 5 else 400)} for n in range(9)]
    with pytest.raises(Unstorable, match="too large"):
        store.sink().write(1, [change(1, row, key=key) for key, row in zip(keys, rows, strict=True)])
    assert [row is not None for row in found_in(store.sink(), *keys)] == [n != 5 for n in range(9)]


@MODEL
@pytest.mark.parametrize("status", [429, 503, 500, 403])
def test_one_document_that_meets_a_failure_is_written_later_and_the_others_now(
    store: OpenSearchStore, status: int
) -> None:
    failing = '["ada", "2"]'
    store.server.model.faults.append(
        lambda what, id: Said(status, "some_exception") if (what, id) == ("item", failing) else None
    )
    keys = [RowKey("ada", str(n)) for n in range(4)]
    changes = [change(1, key=key) for key in keys]
    with pytest.raises(SinkUnavailable, match=f"{status} some_exception"):
        store.sink().write(1, changes)
    assert [row is not None for row in found_in(store.sink(), *keys)] == [True, True, False, True]
    store.server.model.faults.clear()
    assert not store.sink().write(1, changes)
    assert all(found_in(store.sink(), *keys))


@MODEL
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", ["{}", '{"error": {"type": "busy"}}', '{"error": "busy"}', "<html>", '"x"'])
def test_a_domain_that_answers_otherwise_is_asked_again(store: OpenSearchStore, status: int, body: str) -> None:
    sink = store.sink()
    store.server.model.faults.append(lambda *_: Said(status, body))
    for work in (
        lambda: sink.write(1, [change(1)]),
        lambda: sink.read(1, [KEY]),
        lambda: sink.rows(1, 0, 1, None),
        lambda: sink.replace_tombstone(1, change(1), StoredRow(KEY, 1, "o-1", None, "mark")),
    ):
        with pytest.raises(SinkUnavailable, match=str(status)):
            work()


@MODEL
def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_done_twice(store: OpenSearchStore) -> None:
    sink = store.sink()
    for version in (1, 2):
        store.server.answers_lost = 1
        assert not sink.write(1, [change(version)])
        interrupted = interfered(store, "_bulk", lambda: setattr(store.server, "answers_lost", 1))
        assert not interrupted.write(1, [change(version + 10)])
        assert found_in(sink).version == version + 10
        sink.drop(1, 0, 1, None)
        sink.prepare(1)


def test_nobody_there_is_unavailable(domain: DomainServer) -> None:
    sink = OpenSearchStore(DomainServer("http://127.0.0.1:1", domain.model)).sink()
    if not REAL:
        with pytest.raises(SinkUnavailable):
            sink.read(1, [KEY])


@MODEL
def test_each_request_is_signed_with_the_credentials_of_now(store: OpenSearchStore) -> None:
    sink = store.sink()
    sink.read(1, [KEY])
    credentials, region = sink.connection._sign_as()
    sink.connection._sign_as = lambda: (credentials._replace(secret_key="another"), region)
    with pytest.raises(SinkUnavailable, match="403"):
        sink.read(1, [KEY])


def test_no_request_takes_longer_than_a_function_can_wait(
    store: OpenSearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(connection, "URLLib3Session", lambda **options: given.update(options))
    store.sink()
    assert given["timeout"] == (connection.CONNECT_SECONDS, connection.ANSWER_SECONDS) == (3, 20)


@MODEL
@pytest.mark.parametrize(("most", "size", "requests"), [("MOST_AT_ONCE", 4, 3), ("MOST_BYTES_AT_ONCE", 500, 5)])
def test_a_large_batch_is_sent_in_parts(
    store: OpenSearchStore, monkeypatch: pytest.MonkeyPatch, most: str, size: int, requests: int
) -> None:
    monkeypatch.setattr(open_search_sink, most, size)
    keys = [RowKey("ada", str(n)) for n in range(10)]
    store.server.model.asked.clear()
    store.sink().write(1, [change(1, {"text": "x" * 100}, key=key) for key in keys])
    assert sum(path.endswith("_bulk") for _, path in store.server.model.asked) == requests
    assert all(found_in(store.sink(), *keys))


@MODEL
def test_who_signs_with_other_credentials_is_refused_and_told_why(store: OpenSearchStore) -> None:
    sink = store.sink()
    credentials, region = sink.connection._sign_as()
    sink.connection._sign_as = lambda: (credentials._replace(secret_key="another"), region)
    with pytest.raises(SinkUnavailable, match="403 security_exception: the function's role may not"):
        sink.read(1, [KEY])


# Documents.


@pytest.mark.parametrize(
    "row",
    [{"total": "twelve"}, {"": 1}, {".a": 1}, {"_id": "x"}, {"total": {"a": 1}}, {"customer": "twelve" * 6_000}],
    ids=["no number", "no name", "a dot first", "a field of OpenSearch's", "an object", "a long keyword"],
)
def test_a_row_that_mappings_refuse_is_unstorable_and_quotes_nothing(store: OpenSearchStore, row: Any) -> None:
    keys = [RowKey("ada", str(n)) for n in range(3)]
    with pytest.raises(Unstorable, match="mappings say how") as raised:
        store.sink().write(1, [change(1, row if n == 1 else ROW, key=key) for n, key in enumerate(keys)])
    assert "twelve" not in str(raised.value)
    assert [row is not None for row in found_in(store.sink(), *keys)] == [True, False, True]


@pytest.mark.parametrize("name", ["_row.expires_at", "_row.deleted", "_row.part", "_row.x.y"])
def test_a_members_name_cannot_reach_into_what_is_ours(store: OpenSearchStore, name: str) -> None:
    with pytest.raises(Unstorable, match=r"begins with _row\. would be the view's own"):
        store.sink().write(1, [change(1, {**ROW, name: 1})])
    assert found_in(store.sink()) is None
    store.sink().write(1, [change(1, {**ROW, "row.x": 1, "a._row.x": 1})])
    assert found_in(store.sink()).row == {**ROW, "row.x": 1, "a._row.x": 1}


def test_a_row_that_looks_like_a_tombstone_of_long_ago_is_not_purged(store: OpenSearchStore) -> None:
    sink = store.sink()
    sink.write(1, [change(1)])
    about = {"id": '["ada", "o-1"]', "part": 1, "source": "o-1", "version": 2, "expires_at": 1}
    lines = f'{{"index": {{"_id": {json.dumps(about["id"])}}}}}\n{json.dumps({"_row": about})}\n'
    sink.connection.ask("POST", f"/{store.index}_g1_rows/_bulk", lines)
    sink.rows(1, 0, 1, None)
    sink.write(1, [change(1, None, key=RowKey("bob", "o"))])
    assert found_in(sink).version == 2


def test_what_a_row_may_be_does_not_depend_on_which_comes_first(store: OpenSearchStore) -> None:
    rows = [{"x": 1}, {"x": "text"}, {"x": {"y": [1]}}, {"x": "2026-11-22"}, {"x": None}, {"x": {"y": {"": 1}}}]
    keys = [RowKey("ada", str(n)) for n in range(len(rows))]
    store.sink().write(1, [change(1, row, key=key) for key, row in zip(keys, rows, strict=True)])
    store.sink().write(1, [change(2, row, key=key) for key, row in zip(keys, reversed(rows), strict=True)])
    assert [row.row for row in found_in(store.sink(), *keys)] == rows[::-1]


def test_keys_that_are_longer_than_an_id_are_refused_and_nowhere(store: OpenSearchStore) -> None:
    sink = store.sink()
    longest = RowKey("é" * 200, "o" * (512 - 400 - len('["", ""]')))
    sink.write(1, [change(1, key=longest)])
    assert found_in(sink, longest).key == longest
    longer = longest._replace(sort=f"{longest.sort}o")
    with pytest.raises(Unstorable, match="at most 512 bytes"):
        sink.write(1, [change(1, key=longer)])
    with pytest.raises(Unstorable):
        sink.replace_tombstone(1, change(1, key=longer), StoredRow(longer, 1, "o-1", None, "m"))
    assert [row is None for row in sink.read(1, [longer, longest, longer])] == [True, False, True]


@pytest.mark.parametrize(
    ("one", "same"), [(Decimal("1.5"), Decimal("1.500")), (3, Decimal("3.0")), (100, Decimal("1E+2"))]
)
def test_a_number_is_one_key_however_it_is_written(domain: DomainServer, one: Any, same: Any) -> None:
    store = OpenSearchStore(domain, "N")
    store.sink().prepare(1)
    store.sink().write(1, [change(1, key=RowKey("ada", one))])
    store.sink().write(1, [change(2, key=RowKey("ada", same))])
    assert found_in(store.sink(), RowKey("ada", one)).version == 2
    assert len(store.sink().rows(1, 0, 1, None).rows) == 1


def test_rows_that_no_refresh_has_shown_are_found(store: OpenSearchStore) -> None:
    sink = store.sink()
    for version in (1, 2):
        sink.write(1, [change(version)])
        assert [row.version for row in sink.rows(1, 0, 1, None).rows] == [version]


@MODEL
def test_rows_that_no_replica_has_yet_are_found(store: OpenSearchStore) -> None:
    store.server.model.segments_are_copied = True
    sink = store.sink()
    sink.write(1, [change(1)])
    assert [row.version for row in sink.rows(1, 0, 1, None).rows] == [1]


@MODEL
@pytest.mark.parametrize(
    "says",
    [
        {"timed_out": True},
        {"_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 1}},
        {"_shards": {"total": 2, "successful": 1, "skipped": 0, "failed": 0}},
    ],
    ids=["late", "failed", "away"],
)
def test_rows_of_some_shards_are_not_taken_for_all(store: OpenSearchStore, says: dict[str, Any]) -> None:
    store.server.model.searches_say |= says
    with pytest.raises(SinkUnavailable, match="not all shards have answered"):
        store.sink().rows(1, 0, 1, None)


@MODEL
def test_a_refresh_that_fails_in_a_shard_is_not_taken_for_one(store: OpenSearchStore) -> None:
    failed = Said(200, '{"_shards": {"total": 2, "successful": 1, "failed": 1}}')
    store.server.model.faults.append(lambda _, path: failed if path.endswith("_refresh") else None)
    with pytest.raises(SinkUnavailable, match="not all shards are refreshed"):
        store.sink().rows(1, 0, 1, None)


@MODEL
def test_what_decides_a_write_is_read_without_the_rows(store: OpenSearchStore) -> None:
    store.sink().write(1, [change(1)])
    sink, answers = heard(store)
    sink.write(1, [change(2)])
    assert [*answers[0]["docs"][0]["_source"]] == ["_row"]


def test_tombstones_go_when_their_time_has_ended_and_no_others(store: OpenSearchStore) -> None:
    sink = store.sink()
    keys = [RowKey("ada", str(n)) for n in range(6)]
    sink.write(1, [change(1, None, key=key) for key in keys[:4]])
    store.now += contract.TOMBSTONE_SECONDS + 1
    assert len(sink.rows(1, 0, 1, None).rows) == 4  # refreshed, too
    sink.write(1, [change(1, None, key=keys[4])])
    assert sum(row is not None for row in found_in(sink, *keys)) == 3
    assert len(sink.rows(1, 0, 1, None).rows) == 3
    sink.write(1, [change(1, None, key=keys[5])])
    sink.write(1, [change(1, key=KEY)])
    assert [row is not None for row in found_in(sink, *keys)] == [False] * 4 + [True] * 2


def test_a_tombstone_stays_for_its_time(store: OpenSearchStore) -> None:
    sink = store.sink()
    sink.write(1, [change(1, None)])
    for wait, stays in ((contract.TOMBSTONE_SECONDS, True), (1, False)):
        store.now += wait
        sink.rows(1, 0, 1, None)  # refreshed, too
        sink.write(1, [change(1, None, key=RowKey("bob", str(store.now)))])
        assert (found_in(sink) is not None) == stays


@MODEL
def test_a_row_that_is_refused_in_a_tombstones_place_is_told(store: OpenSearchStore) -> None:
    sink = store.sink()
    sink.write(1, [change(1, None)])
    seen = found_in(sink)
    with pytest.raises(Unstorable, match="mappings say how"):
        sink.replace_tombstone(1, change(1, {"total": "twelve"}, "o-2"), seen)
    assert found_in(sink) == seen


@MODEL
def test_a_primary_after_a_fail_over_is_written_with_its_term(store: OpenSearchStore) -> None:
    sink = store.sink()
    store.server.model.term = 7
    for version in (1, 2, 3):
        assert not sink.write(1, [change(version)])
    assert found_in(sink).version == 3
    sink.write(1, [change(4, None)])
    assert sink.replace_tombstone(1, change(1, ROW, "o-2"), found_in(sink))


@MODEL
def test_indexes_are_made_with_the_settings(store: OpenSearchStore) -> None:
    store.settings = {"number_of_replicas": 2}
    store.sink().prepare(2)
    assert store.server.model.indexes[f"{store.index}_g2"].settings == {"number_of_replicas": 2}


@MODEL
@pytest.mark.parametrize("status", [403, 503])
def test_a_drop_that_is_refused_is_not_done(store: OpenSearchStore, status: int) -> None:
    refused = Said(status, "{}")
    store.server.model.faults.append(lambda method, _: refused if method == "DELETE" else None)
    with pytest.raises(SinkUnavailable, match=str(status)):
        store.sink().drop(1, 0, 1, None)


@MODEL
def test_rows_with_the_same_part_are_all_found_at_the_border_of_a_page(
    store: OpenSearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "crc32", lambda _: 5)
    monkeypatch.setattr(open_search_sink, "PAGE", 2)
    sink = store.sink()
    keys = [RowKey("ada", str(n)) for n in range(5)]
    sink.write(1, [change(1, key=key) for key in keys])
    found, page = [], sink.rows(1, 0, 1, None)
    found += page.rows
    while page.resume is not None:
        page = sink.rows(1, 0, 1, page.resume)
        found += page.rows
    assert [row.key for row in found] == keys


def test_a_tombstone_whose_place_was_taken_meanwhile_is_not_purged(store: OpenSearchStore) -> None:
    sink = store.sink()
    sink.write(1, [change(1, None)])
    store.now += contract.TOMBSTONE_SECONDS + 1
    sink.rows(1, 0, 1, None)
    sink.write(1, [change(2)])  # not refreshed: a search sees the tombstone
    sink.write(1, [change(1, None, key=RowKey("bob", "o"))])
    assert found_in(sink) == StoredRow(KEY, 2, "o-1", ROW)


# Indexes and the alias.


def shown(store: OpenSearchStore) -> list[Any]:
    return sorted(hit["_source"].get("g", 0) for hit in store.searched())


def filled(store: OpenSearchStore, *generations: int) -> OpenSearchSink:
    sink = store.sink()
    for generation in generations:
        sink.prepare(generation)
        sink.write(generation, [change(1, {"g": generation}), change(1, None, key=RowKey("gone", "o"))])
        sink.rows(generation, 0, 1, None)
    return sink


def test_searches_see_the_live_generation_without_its_tombstones(store: OpenSearchStore) -> None:
    sink = filled(store, 1, 2)
    for generation in (1, 2):
        sink.publish(generation)
        sink.publish(generation)
        assert shown(store) == [generation]
    sink.publish(1)
    assert shown(store) == [2]


def test_a_flip_that_another_one_overtakes_hides_nothing(store: OpenSearchStore) -> None:
    sink = filled(store, 1, 2, 3)
    sink.publish(1)
    seen: list[Any] = []
    watched = interfered(store, f"GET /{store.index}", lambda: seen.append(shown(store)), times=9)
    interfered(watched, "_aliases", lambda: sink.publish(3)).publish(2)
    assert seen == [[1], [3]]
    assert shown(store) == [3]


def test_of_two_first_flips_the_later_generation_is_shown(store: OpenSearchStore) -> None:
    sink = filled(store, 1, 2)
    interfered(store, "_aliases", lambda: sink.publish(2)).publish(1)
    sink.publish(1)
    assert shown(store) == [2]


@MODEL
def test_a_domain_that_does_not_know_must_exist_is_told_so_and_asked_once(store: OpenSearchStore) -> None:
    sink = filled(store, 1, 2)
    sink.publish(1)
    unknown = '{"error": {"type": "x_content_parse_exception", "reason": "[remove] unknown field [must_exist]"}}'
    store.server.model.faults.append(lambda _, path: Said(400, unknown) if path == "/_aliases" else None)
    store.server.model.asked.clear()
    with pytest.raises(SinkUnavailable, match=r"2\.12 or later is needed.*unknown field \[must_exist\]"):
        sink.publish(2)
    assert [path for _, path in store.server.model.asked] == [f"/{store.index}", "/_aliases"]


@MODEL
def test_a_flip_to_a_generation_that_was_dropped_is_told_as_that(store: OpenSearchStore) -> None:
    with pytest.raises(SinkUnavailable, match="404 index_not_found_exception: the generation has no index"):
        store.sink().publish(7)


def test_what_is_shown_is_not_dropped(store: OpenSearchStore) -> None:
    sink = filled(store, 1)
    sink.publish(1)
    with pytest.raises(SinkUnavailable, match="still shows"):
        sink.drop(1, 0, 3, None)
    assert shown(store) == [1]
    for segment in (1, 2):
        assert sink.drop(1, segment, 3, None) is None
    sink.prepare(2)
    sink.publish(2)
    for _ in range(2):
        assert sink.drop(1, 0, 1, None) is None
    with pytest.raises(SinkUnavailable):
        sink.read(1, [KEY])


def test_the_rows_of_an_app_that_is_deployed_again_are_not_taken_for_its_own(store: OpenSearchStore) -> None:
    filled(store, 1).publish(1)
    again = store.sink("another owner")
    for work in (
        lambda: again.prepare(1),
        lambda: again.drop(1, 0, 1, None),
        lambda: (again.prepare(2), again.publish(2)),
    ):
        with pytest.raises(NotOurs, match="belongs to something else"):
            work()
    assert shown(store) == [1]


def test_an_index_of_somebody_with_the_aliass_name_is_left_alone(store: OpenSearchStore) -> None:
    sink = store.sink()
    sink.connection.ask("PUT", f"/{store.index}", "{}")
    with pytest.raises(NotOurs, match=f"{store.index} is there and belongs to something else"):
        sink.publish(1)


def test_mappings_that_cannot_be_fail_the_rebuild_with_their_reason(store: OpenSearchStore) -> None:
    store.mappings["note"] = {"type": "txet"}
    with pytest.raises(Misshapen, match="txet"):
        store.sink().prepare(2)


def test_one_whom_another_overtakes_in_making_an_index_takes_it(store: OpenSearchStore) -> None:
    interfered(store, "PUT", lambda: store.sink().prepare(2)).prepare(2)
    stranger = store.sink("another owner")
    with pytest.raises(NotOurs, match="belongs to something else"):
        interfered(store, "PUT", lambda: stranger.prepare(3)).prepare(3)


def test_large_rows_are_read_a_page_at_a_time(store: OpenSearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_search_sink, "PAGE", 3)
    sink = store.sink()
    keys = [RowKey("ada", str(n)) for n in range(7)]
    sink.write(1, [change(1, key=key) for key in keys])
    pages = [sink.rows(1, 0, 1, None)]
    while pages[-1].resume is not None:
        pages.append(sink.rows(1, 0, 1, pages[-1].resume))
    assert [len(page.rows) for page in pages] == [3, 3, 1]
    assert {row.key for page in pages for row in page.rows} == {*keys}


def test_functions_are_told_of_the_sink_by_a_variable(store: OpenSearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROL_TABLE_NAME", "control")
    told: Any = {"name": "V", "kind": "rows", "call": "m:f", "pk": "customer", "sink": "SINK_V"}
    made: Any = settings._other_sink(told, json.dumps(store.told()))
    assert (made.indexes.alias, made.indexes.owner, made.has_sort) == (store.index, "control", False)
    with pytest.raises(ValueError, match="knows no sink of the kind 'redis'"):
        settings._other_sink(told, '{"kind": "redis"}')
