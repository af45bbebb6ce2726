"""Marks, builds and what is kept of them, over tables in memory."""

import json
import random
from typing import Any

import pytest

from serverless_patterns_runtime import Invocation, PermanentError, Request, Sources
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.business_function.business_function import BusinessFunction, UnusableResult
from serverless_patterns_runtime.cqrs_queries.contract import BUILT_AT_HEADER, Reading
from serverless_patterns_runtime.cqrs_queries.document_door import answered
from serverless_patterns_runtime.cqrs_views import document_contract as items
from serverless_patterns_runtime.cqrs_views.building import Building
from serverless_patterns_runtime.cqrs_views.contents import Contents, DocumentTooLarge
from serverless_patterns_runtime.cqrs_views.document_builder import Builder
from serverless_patterns_runtime.cqrs_views.documents import Documents
from serverless_patterns_runtime.errors import NotNow, UnusableResource

from ...simulation.aws_errors import ServiceError
from ...simulation.dynamodb_model import DynamoDB, Table
from ...simulation.s3_model import S3
from ...simulation.sqs_model import SQS, Queue
from ..consumer import Clock
from .modelled import Modelled, refused

QUEUE = "https://sqs.invalid/sales"
BY_CUSTOMER: Reading = {
    "view": "ByCustomer", "kind": "rows", "pk": "customer", "sk": "order", "table": "rows", "control": "control"
}  # fmt: skip
REVENUE: Reading = {
    "view": "Revenue", "kind": "totals", "pk": "product", "sk": "", "table": "totals", "control": "control"
}  # fmt: skip


class Lines:
    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, said: str, *_: Any, extra: Any = None) -> None:
        self.said.append(f"{said} {extra}")

    debug = warning = error = info


class Shop:
    def __init__(
        self, bucket: str = "", build: Any = lambda sources: {"n": len(list(sources.rows("ByCustomer")))}
    ) -> None:
        self.clock, self.log = Clock(), Lines()
        tables = {
            "control": Table({"item": "S"}),
            "rows": Table({"pk": "S", "sk": "S"}),
            "totals": Table({"pk": "S", "sk": "N"}),
        }
        self.dynamodb = DynamoDB(tables, self.clock, random.Random(1))
        self.client: Any = Modelled("dynamodb", self.dynamodb)
        self.queue = Queue(QUEUE, 30)
        self.sqs = Modelled("sqs", SQS([self.queue], self.clock, random.Random(2)))
        self.objects = S3(["documents"])
        self.s3 = Modelled("s3", self.objects)
        told = {"Sales": {"queue": QUEUE, "seconds": 10, "sources": ["ByCustomer", "Revenue"]}}
        names = iter(range(1000))
        self.documents = Documents(
            self.client, self.sqs, "control", told, self.log, self.clock, lambda: f"name-{next(names)}"  # type: ignore[arg-type]
        )  # fmt: skip
        self.contents = Contents(self.client, lambda: self.s3, "control", bucket, "Sales")
        self.building = Building(self.client, "control", "Sales", self.contents, self.clock)
        function = BusinessFunction(build, "sales", False, False)
        self.builder = Builder(self.building, function, [BY_CUSTOMER, REVENUE], self.client)
        for view in ("ByCustomer", "Revenue"):
            self.dynamodb.put_item(TableName="control", Item=serialize_item({"item": f"view/{view}", "live": 1}))

    def row(self, order: str, *, of: int = 1) -> None:
        about = {"version": 1, "source": order}
        item = {"pk": f"{of}#ada", "sk": order, "customer": "ada", "order": order, "_row": about}
        self.dynamodb.put_item(TableName="rows", Item=serialize_item(item))

    def item(self, kind: str = "document") -> dict[str, Any]:
        return self.dynamodb.tables["control"].items.get((f"{kind}/Sales",), {})

    def build(self) -> bool:
        return self.builder.build(Invocation.fake())

    def get(self, **headers: str) -> Any:
        return answered(Request.fake(headers=headers), self.contents)

    def body(self) -> Any:
        return json.loads(self.get().body)


@pytest.fixture(params=["", "documents"], ids=["item", "object"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(request.param)


def test_changes_until_the_build_are_one_mark_and_one_message(shop: Shop) -> None:
    for _ in range(5):
        shop.documents.mark({"ByCustomer"})
    (message,) = shop.queue.messages
    assert json.loads(message.body) == {"document": "Sales"}
    assert message.visible_at == shop.clock.now + 10
    assert shop.build()
    shop.documents.mark({"Revenue", "Other"})
    assert len(shop.queue.messages) == 2


def test_a_view_that_is_no_source_marks_nothing(shop: Shop) -> None:
    shop.documents.mark({"Other"})
    shop.documents.mark(set())
    assert shop.client.calls == []


def test_a_mark_costs_one_small_request(shop: Shop) -> None:
    shop.documents.mark({"ByCustomer"})
    shop.row("o-1")
    shop.build()
    shop.client.calls.clear()
    shop.documents.mark({"ByCustomer"})
    shop.documents.mark({"ByCustomer"})
    assert shop.client.operations == ["UpdateItem"] * 2
    assert items.TEXT not in shop.item()


def test_a_document_is_what_its_function_makes_of_the_live_generation(shop: Shop) -> None:
    shop.row("o-1")
    shop.row("o-2", of=2)
    shop.documents.mark({"ByCustomer"})
    assert shop.build()
    assert shop.body() == {"n": 1}


def test_totals_are_a_source_too() -> None:
    shop = Shop(build=lambda sources: {one["product"]: one["sold"] for one in sources.totals("Revenue")})
    item = {"pk": "1#total#tea", "sk": 3, "sold": 4}
    shop.dynamodb.put_item(TableName="totals", Item=serialize_item(item))
    shop.documents.mark({"Revenue"})
    shop.build()
    assert shop.body() == {"tea": 4}


def test_without_a_mark_there_is_nothing_to_build(shop: Shop) -> None:
    assert not shop.build()
    shop.documents.mark({"ByCustomer"})
    assert [shop.build() for _ in range(3)] == [True, False, False]
    assert shop.item()[items.BUILD] == {"N": "1"}


def test_a_change_while_it_is_built_has_it_built_again() -> None:
    shop = Shop()

    def build(sources: Sources) -> dict[str, int]:
        rows = list(sources.rows("ByCustomer"))
        if len(rows) == 1:
            shop.row("o-2")
            shop.documents.mark({"ByCustomer"})
        return {"n": len(rows)}

    shop.builder = shop.builder._replace(function=BusinessFunction(build, "sales", False, False))
    shop.row("o-1")
    shop.documents.mark({"ByCustomer"})
    shop.build()
    assert len(shop.queue.messages) == 2
    assert shop.build()
    assert shop.body() == {"n": 2}


def test_a_build_that_failed_is_built_when_its_message_comes_again(shop: Shop) -> None:
    shop.row("o-1")
    shop.documents.mark({"ByCustomer"})
    working = shop.builder

    def fail(_: Sources) -> None:
        raise OSError("no")

    shop.builder = working._replace(function=BusinessFunction(fail, "sales", False, False))
    with pytest.raises(OSError, match="no"):
        shop.build()
    assert items.DIRTY_AT not in shop.item()
    shop.builder = working
    assert shop.build()
    assert not shop.build()
    assert shop.body() == {"n": 1}


def test_a_later_build_is_never_replaced_by_an_earlier_one(shop: Shop) -> None:
    shop.contents.keep(2, '{"n":2}', 20.0)
    shop.contents.keep(1, '{"n":1}', 10.0)
    shop.contents.keep(2, '{"n":1}', 20.0)
    assert shop.body() == {"n": 2}
    assert len(shop.objects.objects["documents"]) == (1 if shop.contents.bucket else 0)


def test_the_object_before_is_deleted_once_nobody_is_told_of_it() -> None:
    shop = Shop("documents")
    shop.contents.keep(1, '{"n":1}', 10.0)
    reading = shop.contents.read()
    shop.contents.keep(2, '{"n":2}', 20.0)
    assert [key.startswith("documents/Sales/2-") for key in shop.objects.objects["documents"]] == [True]
    # Who was told of it before reads the one after it.
    assert reading is not None
    assert reading.text() is None
    assert shop.body() == {"n": 2}


def test_a_reader_between_two_builds_gets_the_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop("documents")
    shop.contents.keep(1, '{"n":1}', 10.0)
    early = shop.contents.read()
    shop.contents.keep(2, '{"n":2}', 20.0)
    reads = iter([early])
    read = Contents.read
    monkeypatch.setattr(Contents, "read", lambda self: next(reads, None) or read(self))
    assert json.loads(shop.get().body) == {"n": 2}


def test_before_the_first_build_there_is_no_answer(shop: Shop) -> None:
    with pytest.raises(NotNow) as caught:
        shop.get()
    assert caught.value.retry_after > 0


def test_an_answer_says_when_it_was_built_and_what_it_is(shop: Shop) -> None:
    shop.contents.keep(1, '{"n":1}', 1_700_000_000.9)
    answer = shop.get()
    assert answer.status == 200
    assert answer.body == b'{"n":1}'
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers[BUILT_AT_HEADER] == "2023-11-14T22:13:20Z"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_parameter_that_nobody_looks_at_is_400(shop: Shop) -> None:
    with pytest.raises(PermanentError, match="the query string has a parameter that there is not") as refused:
        answered(Request.fake(query={"min_version": "1@o-1"}), shop.contents)
    assert refused.value.status == 400


def test_who_has_it_is_not_sent_it_again(shop: Shop) -> None:
    shop.contents.keep(1, '{"n":1}', 10.0)
    tag = shop.get().headers["ETag"]
    for said in (tag, f"W/{tag}", f'"x", {tag}'):
        known = shop.get(**{"If-None-Match": said})
        assert (known.status, known.body, known.headers["ETag"]) == (304, None, tag)
    shop.contents.keep(2, '{"n":1}', 20.0)
    assert shop.get(**{"If-None-Match": tag}).status == 304
    shop.contents.keep(3, '{"n":3}', 30.0)
    assert shop.get(**{"If-None-Match": tag}).status == 200


def test_a_document_that_is_too_large_says_what_to_do() -> None:
    for shop, most, fix in (
        (Shop(), items.MAX_TEXT_BYTES, "give the document a bucket"),
        (Shop("documents"), items.MAX_DOCUMENT_BYTES, "split it"),
    ):
        text = json.dumps("x" * (most - 2))
        shop.contents.keep(1, text, 1.0)
        assert shop.get().body == text.encode()
        with pytest.raises(DocumentTooLarge, match=f"got {most + 1:,}: {fix}"):
            shop.contents.keep(2, text + " ", 1.0)


@pytest.mark.parametrize("made", [{"n": {1, 2}}, float("nan")])
def test_what_has_no_json_is_a_dead_letter(made: Any) -> None:
    shop = Shop(build=lambda _: made)
    shop.documents.mark({"ByCustomer"})
    with pytest.raises(UnusableResult, match="the document has no JSON"):
        shop.build()


def test_a_source_that_is_not_there_yet_is_waited_for_by_its_own_mark() -> None:
    shop = Shop()
    shop.dynamodb.put_item(TableName="control", Item=serialize_item({"item": "view/ByCustomer", "building": 1}))
    shop.documents.mark({"ByCustomer"})
    assert not shop.build()
    shop.dynamodb.put_item(TableName="control", Item=serialize_item({"item": "view/ByCustomer", "live": 1}))
    shop.row("o-1")
    shop.documents.mark({"ByCustomer"})  # as a rebuild does when it is done
    assert shop.build()
    assert shop.body() == {"n": 1}


def test_the_answer_to_a_mark_may_be_lost(shop: Shop) -> None:
    """The SDK asks again, and meets its own mark."""
    repeated = shop.dynamodb.update_item

    def update_item(**request: Any) -> Any:
        repeated(**request)
        return repeated(**request)

    shop.dynamodb.update_item = update_item  # type: ignore[method-assign]
    shop.documents.mark({"ByCustomer"})
    assert len(shop.queue.messages) == 1


def test_a_message_that_cannot_be_sent_keeps_nobody_from_projecting_and_is_sent_by_the_sweep(shop: Shop) -> None:
    def down(*_: Any) -> None:
        raise refused("ThrottlingException")

    shop.sqs.meets = down
    shop.documents.mark({"ByCustomer"})
    assert shop.queue.messages == []
    assert "the sweep will send it" in shop.log.said[0]
    shop.sqs.meets = lambda *_: None
    assert shop.documents.sweep() == 0
    shop.clock.now += 10 + items.OVERDUE_SECONDS
    assert shop.documents.sweep() == 1
    assert shop.documents.sweep() == 0
    assert len(shop.queue.messages) == 1
    shop.clock.now += 10 + items.OVERDUE_SECONDS
    assert shop.documents.sweep() == 1


def test_of_two_sweeps_one_sends(shop: Shop) -> None:
    shop.documents.mark({"ByCustomer"})
    shop.clock.now += 1000
    met: list[int] = []

    def another(operation: str, _: Any) -> None:
        if operation == "UpdateItem" and not met:
            met.append(1)
            shop.documents.sweep()

    shop.client.meets = another
    assert shop.documents.sweep() == 0
    assert len(shop.queue.messages) == 2


def test_a_mark_that_cannot_be_made_is_an_error(shop: Shop) -> None:
    def down(*_: Any) -> None:
        raise ServiceError("ThrottlingException")

    shop.client.meets = down
    with pytest.raises(Exception, match="ThrottlingException"):
        shop.documents.mark({"ByCustomer"})


def test_a_unit_test_of_a_build_needs_no_aws() -> None:
    sources = Sources.fake({"ByCustomer": [{"n": 1}], "Revenue": [{"product": "tea", "sold": 3}]})
    assert list(sources.rows("ByCustomer")) == [{"n": 1}]
    assert list(sources.totals("Revenue")) == [{"product": "tea", "sold": 3}]
    assert [total["returned"] for total in sources.totals("Revenue")] == [0], "as deployed: nobody contributes to it"
    with pytest.raises(
        UnusableResource, match=r"'Sales' is no source of this document \(it has: ByCustomer, Revenue\)"
    ):
        sources.rows("Sales")


@pytest.mark.parametrize(("kind", "view", "other"), [("rows", "Revenue", "totals"), ("totals", "ByCustomer", "rows")])
def test_a_source_is_asked_for_what_it_has(kind: str, view: str, other: str) -> None:
    shop = Shop(build=lambda sources: list(getattr(sources, kind)(view)))
    shop.documents.mark({"ByCustomer"})
    with pytest.raises(PermanentError, match=f"has no {kind}: write sources.{other}"):
        shop.build()
