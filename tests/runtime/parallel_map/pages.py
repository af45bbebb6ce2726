"""The functions of a map over a model of DynamoDB, called one after the other, as its state machine would."""

import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from serverless_patterns_runtime import Effects, Gathered, Invocation, PermanentError, Update
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.parallel_map import completion_handler, gather_handler, handler
from serverless_patterns_runtime.parallel_map.edge import Edge, Gathering, Works
from serverless_patterns_runtime.parallel_map.items import Items
from tests.simulation.aws_errors import ServiceError, client_error, operation_name
from tests.simulation.dynamodb_model import DynamoDB, Table
from tests.simulation.world import Log, Metrics

ARN = "arn:aws:states:eu-central-1:123456789012:execution:Pages:document-7"
NAME = "document-7"


class Service:
    """A model behind a client: its errors are botocore's. `refuse` is asked before each request."""

    def __init__(self, name: str, model: Any) -> None:
        self._name, self._model = name, model
        self.calls: list[str] = []
        self.refuse: Callable[[str], ServiceError | None] = lambda _: None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = operation_name(self._name, method)

        def call(**arguments: Any) -> Any:
            self.calls.append(operation)
            try:
                if error := self.refuse(operation):
                    raise error
                return getattr(self._model, method)(**arguments)
            except ServiceError as error:
                raise client_error(self._name, operation, error) from None

        return call


def name_of_error(call: Callable[[], Any]) -> str:
    """Of what it raises, as Lambda tells the state machine."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return ""


class Context:
    aws_request_id = "request-1"

    def __init__(self, seconds: Callable[[], float] = lambda: 30.0) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds() * 1000)


class Pages:
    def __init__(
        self,
        given: Any,
        render: Callable[..., Any] | None = None,
        *,
        effects: bool = True,
        key: str = "$.id",
        most: int = 5_000,
        tolerated: float = 0,
        text: bytes | None = None,
        format: str = "input",
        refusal: str = "NoSuchKey",
    ) -> None:
        self.now = 1_700_000_000.0
        tables = {"claims": Table({"claim": "S"}), "ledger": Table({"id": "S"})}
        self.model = DynamoDB(tables, lambda: self.now, random.Random(1))
        self.dynamodb = Service("dynamodb", self.model)
        self.letters: list[tuple[Any, dict[str, Any]]] = []
        self.lines: list[dict[str, Any]] = []
        self.gathered: list[Gathered] = []
        self.given, self.text, self.refusal = given, text, refusal
        path = "$.pages" if format == "input" else "$.manifest"
        items = Items(path, key, format, "" if format == "input" else "bucket", most, self._get_object)
        states = SimpleNamespace(describe_execution=lambda executionArn: {"input": json.dumps(self.given)})  # noqa: ARG005
        edge = Edge(
            dynamodb=self.dynamodb,
            stepfunctions=states,
            items=items,
            claims_table_name="claims",
            claims_namespace="Pages",
            claims_retention_seconds=86_400,
            clock=lambda: self.now,
            sleep=lambda _: None,
            random=random.Random(2),
            logger=Log(lambda text, fields: self.lines.append({"message": text, **fields})),
            metrics=Metrics(),
            tables={"LEDGER": "ledger"},
        )
        render = render or (lambda page, invocation: _mark(invocation, result=page.get("says", 1)))
        self.works = Works(edge, BusinessFunction(render, "pages:render", True, effects), max_result_bytes=32_768)
        self.ends = Works(edge, BusinessFunction(self._done, "pages:done", True, True))
        sqs = SimpleNamespace(send_message=self._send)
        self.gathering = Gathering(edge, sqs, "letters", tolerated)

    def process(self, index: int, item: Any, **more: Any) -> Any:
        event = {"execution": NAME, "index": index, "item": item, "retries": 0, **more}
        return handler.process(event, Context(), self.works)

    def bury(self, index: int, item: Any, error: Mapping[str, Any], **more: Any) -> Any:
        event = {"task": "bury", "execution": NAME, "index": index, "item": item, "error": error, **more}
        return gather_handler.process(event, Context(), self.gathering)

    def gather(self, status: str = "RUNNING", seconds: Callable[[], float] = lambda: 300.0, **more: Any) -> Any:
        event = {"task": "gather", "arn": ARN, "status": status, **more}
        return gather_handler.process(event, Context(seconds), self.gathering)

    def complete(self, told: Any) -> Gathered:
        completion_handler.process({"arn": ARN, "told": told, "retries": 0}, Context(), self.ends)
        return self.gathered[-1]

    @property
    def effects(self) -> dict[str, int]:
        return {id: int(item["times"]["N"]) for (id,), item in self.model.tables["ledger"].items.items()}

    def _done(self, gathered: Gathered, invocation: Invocation) -> Effects:
        self.gathered.append(gathered)
        return _mark(invocation)

    def _send(self, *, QueueUrl: str, MessageBody: str, MessageAttributes: Mapping[str, Any]) -> None:
        assert QueueUrl == "letters"
        sent = MessageBody + MessageAttributes["dead-letter"]["StringValue"]
        assert len(sent.encode()) + len("dead-letterString") <= 1_048_576, "SQS refuses more"
        why = json.loads(MessageAttributes["dead-letter"]["StringValue"])
        self.letters.append((json.loads(MessageBody), why))

    def _get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        assert Bucket == "bucket"
        if self.text is None:
            raise client_error("s3", "GetObject", ServiceError(self.refusal, Key, 404))
        return {"Body": io.BytesIO(self.text)}


def _mark(invocation: Invocation, result: Any = None) -> Effects:
    return Effects([Update("LEDGER", {"id": invocation.idempotency_key}, add={"times": 1})], result=result)


def refuse(_page: Any, _invocation: Invocation) -> Effects:
    raise PermanentError("an empty page")


def some_pages(number: int) -> Sequence[dict[str, Any]]:
    return [{"id": f"p{at}"} for at in range(number)]
