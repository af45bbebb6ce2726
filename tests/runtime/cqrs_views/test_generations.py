import pytest

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.cqrs_views.generations import NONE, Generations, Pointers

from ...simulation.dynamodb_model import DynamoDB, Table
from .modelled import Modelled, refused

ITEM = {
    "item": {"S": "view/Orders"},
    "live": {"N": "3"},
    "building": {"N": "4"},
    "previous": {"N": "2"},
    "started_at": {"M": {"3": {"N": "1000"}, "4": {"N": "2000"}}},
    "phase": {"S": "scan"},
}


def pointers() -> Pointers:
    service = DynamoDB({"control": Table({"item": "S"})}, lambda: 0.0)
    service.put_item(TableName="control", Item=ITEM)
    service.put_item(TableName="control", Item={"item": {"S": "view/New"}, "building": {"N": "1"}})
    return Pointers(Modelled("dynamodb", service), "control", lambda _: None)


def test_all_views_are_read_in_one_consistent_request() -> None:
    reads = pointers()
    assert reads.read(["Orders", "New", "Never"], remaining=lambda: 5) == {
        "Orders": Generations(3, 4, 2, {3: 1000, 4: 2000}),
        "New": Generations(None, 1, None, {}),
        "Never": NONE,
    }
    ((operation, arguments),) = reads.dynamodb.calls
    assert operation == "BatchGetItem"
    assert arguments["RequestItems"]["control"]["ConsistentRead"] is True


@pytest.mark.parametrize(
    ("generations", "written"),
    [
        (Generations(3, 4, 2, {}), (3, 4)),
        (Generations(3, None, 2, {}), (3,)),
        (Generations(None, 1, None, {}), (1,)),
        (NONE, ()),
    ],
    ids=["rebuilding", "live", "first", "never"],
)
def test_changes_go_to_what_is_live_and_what_is_built(generations: Generations, written: tuple[int, ...]) -> None:
    assert generations.written == written


def test_what_is_not_answered_in_time_is_no_answer() -> None:
    reads = pointers()
    left = iter([3.0, 2.0, 1.0, 0.0])

    def meets(_: str, __: object) -> None:
        raise refused("ThrottlingException")

    reads.dynamodb.meets = meets
    with pytest.raises(Contended):
        reads.read(["Orders"], remaining=lambda: next(left))
