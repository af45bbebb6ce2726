"""`ParallelMap` as deployed: the synthesised template, the shipped layer, roles enforced, faults on the way.

The embedded cloud tells nobody of an execution's end, so what EventBridge would start is started by the tests.
"""

import json
from collections.abc import Generator

import pytest

from serverless_patterns.testing import EmbeddedCloud, Fault, wait_until
from tests.live.honesty.raw_state_machine import scale_waiting
from tests.live.map_stack import LiveMaps, MapStack, pages

SDK_ATTEMPTS = 3


@pytest.fixture(scope="module")
def maps(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveMaps]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("maps") / "cdk.out")
    stack = MapStack(app, "Maps")
    with embedded_cloud.deploy(app) as deployment:
        scale_waiting(embedded_cloud, 0)  # no pause before a retry
        yield LiveMaps(embedded_cloud, deployment, stack)
        scale_waiting(embedded_cloud, 1)


def test_forty_items_inline_are_each_processed_once_and_their_end_is_told_once(maps: LiveMaps, fresh_name: str) -> None:
    execution = maps.start(maps.stack.inline, fresh_name, {"pages": pages(40)})
    assert execution.ended(60)["status"] == "SUCCEEDED", execution.kinds()
    assert maps.marks(maps.stack.inline, fresh_name) == {f"p{at}": 1 for at in range(40)}
    told = {"times": 1, "items": 40, "processed": 40, "bytes": 280, "outcome": "succeeded", "failed": []}
    assert maps.told(fresh_name) == told


def test_an_item_that_fails_is_a_dead_letter_as_it_came_and_beyond_what_is_tolerated_the_execution_fails(
    maps: LiveMaps, fresh_name: str
) -> None:
    execution = maps.start(maps.stack.inline, fresh_name, {"pages": pages(6, broken=[1], fails=[4])})
    end = execution.ended(60)
    assert (end["status"], end["error"]) == ("FAILED", "ItemsFailed")
    letters = sorted(maps.letters(maps.stack.inline, 2), key=lambda letter: letter[0]["id"])
    assert [item for item, _ in letters] == [{"id": "p1", "broken": True}, {"id": "p4", "fails": True}]
    assert [why["error_type"] for _, why in letters] == ["PermanentError", "RuntimeError"]
    assert letters[0][1]["reason"] == "no page"
    assert letters[0][1]["correlation_id"] == fresh_name
    failed = [["p1", "PermanentError"], ["p4", "RuntimeError"]]
    told = {"times": 1, "items": 6, "processed": 4, "bytes": 28, "outcome": "failed", "failed": failed}
    assert maps.told(fresh_name) == told
    assert maps.marks(maps.stack.inline, fresh_name) == dict.fromkeys(("p0", "p2", "p3", "p5"), 1)


def test_two_hundred_items_distributed_with_no_more_failures_than_are_tolerated(
    maps: LiveMaps, fresh_name: str
) -> None:
    given = {"document": {"pages": pages(200, broken=[0, 77, 120, 199])}}
    execution = maps.start(maps.stack.distributed, fresh_name, given)
    assert execution.ended(60)["status"] == "SUCCEEDED", execution.kinds()
    told = maps.told(fresh_name)
    assert (told["times"], told["outcome"], told["items"], told["processed"]) == (1, "succeeded", 200, 196)
    assert [key for key, _ in told["failed"]] == ["p0", "p77", "p120", "p199"]
    assert {*maps.marks(maps.stack.distributed, fresh_name).values()} == {1}
    assert {item["id"] for item, _ in maps.letters(maps.stack.distributed, 4)} == {"p0", "p77", "p120", "p199"}


def test_items_of_an_object_in_s3_and_those_beyond_the_most_are_dead_letters(maps: LiveMaps, fresh_name: str) -> None:
    key = f"manifests/{fresh_name}.jsonl"
    maps.put(key, "\n".join(map(json.dumps, pages(5))))
    execution = maps.start(maps.stack.from_s3, fresh_name, {"manifest": key})
    assert execution.ended(60)["error"] == "ItemsFailed"
    ((item, why),) = maps.letters(maps.stack.from_s3, 1)
    assert (item, why["reason"]) == ({"id": "p4"}, "the map takes at most 4 items, and this is one beyond them")
    told = maps.told(fresh_name)
    assert (told["times"], told["outcome"], told["processed"]) == (1, "failed", 4)


def test_a_list_that_is_too_long_does_not_begin_and_its_items_are_dead_letters(maps: LiveMaps, fresh_name: str) -> None:
    execution = maps.start(maps.stack.inline, fresh_name, {"pages": pages(41)})
    assert execution.ended(60)["error"] == "ItemsFailed"
    assert maps.marks(maps.stack.inline, fresh_name) == {}
    assert len({why["reason"] for _, why in maps.letters(maps.stack.inline, 41)}) == 1
    assert maps.told(fresh_name)["outcome"] == "failed"


def test_where_there_are_no_items_the_execution_says_why(maps: LiveMaps, fresh_name: str) -> None:
    inline = maps.start(maps.stack.inline, f"{fresh_name}-inline", {"sites": []}).ended(60)
    assert (inline["error"], inline["cause"]) == ("ItemsFailed", "there is no list at $.pages of the input")
    missing = maps.start(maps.stack.from_s3, f"{fresh_name}-s3", {"manifest": "manifests/none.jsonl"}).ended(60)
    assert "is not in the bucket" in missing["cause"]
    assert maps.told(f"{fresh_name}-s3")["outcome"] == "failed"


def test_what_is_left_of_a_stopped_execution_is_closed_and_its_end_is_told_once(
    maps: LiveMaps, fresh_name: str
) -> None:
    with maps.cloud.faults.inject(Fault.slow("dynamodb", "TransactWriteItems", seconds=1)):
        execution = maps.start(maps.stack.inline, fresh_name, {"pages": pages(30)})
        wait_until(lambda: len(maps.marks(maps.stack.inline, fresh_name)) >= 1, 30, "the first item")
        maps.stop(execution)
    for _ in range(2):  # at once, they may send a letter each: the simulation has that
        completion = maps.complete(maps.stack.inline, execution, "ABORTED")
        assert completion.ended(60)["status"] == "SUCCEEDED", completion.kinds()
    told = maps.told(fresh_name)
    assert (told["times"], told["outcome"], told["items"]) == (1, "aborted", 30)
    assert told["processed"] + len(told["failed"]) == 30
    keys = {item["id"] for item, _ in maps.letters(maps.stack.inline, len(told["failed"]))}
    assert keys == {key for key, _ in told["failed"]}
    assert maps.marks(maps.stack.inline, fresh_name).keys().isdisjoint(keys)


def test_an_item_whose_answer_is_lost_has_its_effect_once(maps: LiveMaps, fresh_name: str) -> None:
    with maps.cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS)):
        execution = maps.start(maps.stack.inline, fresh_name, {"pages": pages(2)})
        assert execution.ended(60)["status"] == "SUCCEEDED", execution.kinds()
    assert maps.marks(maps.stack.inline, fresh_name) == {"p0": 1, "p1": 1}
    assert maps.told(fresh_name)["times"] == 1
