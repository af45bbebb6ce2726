"""A table that commands write, with views of every kind, behind an API."""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, RemovalPolicy, Stack

from serverless_patterns import ApiProxy, CqrsTable, Defaults, Handler, Route
from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until
from serverless_patterns_runtime.cqrs_views.generations import view_item
from tests.live.rest_calls import Answer, Api
from tests.simulation.cqrs_shop import AGGREGATES, CONTROL, KEY, ROWS, TOTALS

HANDLERS = Path(__file__).parent / "handlers"
COMMANDS = ("place", "change", "count", "withdraw")
WAIT_SECONDS = 60
FRAGILE = "Fragile"
VIEWS = (ROWS, FRAGILE, TOTALS)
EVERY_SECONDS = 1
LONG_AGO_SECONDS = 7200


class CqrsStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self.orders = orders = CqrsTable(self, "Orders", key=KEY, decide=_runs("decide"), commands=COMMANDS)
        self.by_customer = orders.view(ROWS, project=_runs("by_customer"), partition_key="customer", sort_key="line")
        self.fragile = orders.view(FRAGILE, project=_runs("fragile"), partition_key="customer", sort_key=KEY)
        self.revenue = orders.totals(TOTALS, contributes=_runs("revenue"), group="line")
        sources, every = [self.by_customer, self.revenue], Duration.seconds(EVERY_SECONDS)
        self.sales = orders.document("Sales", sources=sources, build=_runs("sales"), every=every)
        routes = [
            Route("POST /orders", orders.command("place")),
            *(Route(f"POST /orders/{{{KEY}}}/{name}", orders.command(name)) for name in ("count", "withdraw")),
            Route(f"GET /orders/{{{KEY}}}", orders.get()),
            Route("GET /customers/{customer}/lines", self.by_customer.query()),
            Route("GET /customers/{customer}/orders", self.fragile.query(max_wait=Duration.seconds(1))),
            Route("GET /revenue/{line}", self.revenue.query()),
            Route("GET /sales", self.sales.query()),
        ]
        self.api = ApiProxy(self, "Api", public=True, access_logs=False, routes=routes)


def _runs(function: str) -> Handler:
    return Handler(HANDLERS, f"cqrs_orders:{function}")


class LiveOrders:
    """The deployed table as callers and an operator see it."""

    def __init__(self, cloud: EmbeddedCloud, deployment: Deployment, stack: CqrsStack) -> None:
        self.cloud, named = cloud, deployment.physical_id
        self.api = Api(deployment.url(stack.api))
        self.dynamodb, self._lambda = cloud.client("dynamodb"), cloud.client("lambda")
        projection: Any = stack.orders.projection
        # All names at once: constructs are not to be asked by several threads.
        self.control, self.bucket = named(projection.control), named(projection.parked)
        self.projector, self.decider = (
            named(function) for function in (stack.by_customer.projector_function, stack.orders.command_function)
        )
        tables: Mapping[str, Any] = {
            AGGREGATES: stack.orders.table,
            ROWS: stack.by_customer.table,
            TOTALS: stack.revenue.table,
            CONTROL: projection.control_table,
        }
        self.tables = {name: named(table) for name, table in tables.items()}

    def fill_for_the_first_time(self) -> None:
        """As the rule's first sweep does; then it was long ago, so that no change is looked at twice."""
        self.ask(request="sweep")
        eventually(self._is_filled)
        for view in VIEWS:
            self.put_back(view, "started_at", seconds=1000 * LONG_AGO_SECONDS)

    def _is_filled(self) -> None:
        standings = {view: self.standing(view) for view in VIEWS}
        assert all(standing["live"] for standing in standings.values()), f"a view is not filled: {standings}"

    def put_back(self, view: str, attribute: str, *, seconds: int) -> None:
        """Let what the control table says of a view's generations have been earlier, in the attribute's unit."""
        item = self._standing_item(view)
        earlier = {number: {"N": str(int(at["N"]) - seconds)} for number, at in item[attribute]["M"].items()}
        self.dynamodb.update_item(
            TableName=self.tables[CONTROL],
            Key={"item": item["item"]},
            UpdateExpression="SET #a = :a",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":a": {"M": earlier}},
        )

    def _standing_item(self, view: str) -> Any:
        key: Any = {"item": {"S": view_item(view)}}
        return self.dynamodb.get_item(TableName=self.tables[CONTROL], Key=key, ConsistentRead=True)["Item"]

    # Commands.

    def place(self, key: str, **body: Any) -> Answer:
        return self.post("/orders", f"place-{key}", {KEY: key, **body})

    def post(self, path: str, id: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.call(f"POST {path}", body, {"Idempotency-Key": id, **named})

    def command(self, command: str, key: str, body: Any = None, *, id: str = "", **more: Any) -> Any:
        """By the command function."""
        event = {"id": id or f"{command}-{key}", "command": command, "key": key, "body": body, **more}
        return self.invoke(self.decider, event)

    def commands(self, asked: Iterable[tuple[str, str, Any, str]], *, at_once: int = 4) -> list[Any]:
        """Name, key, body and id of each; those of one key in their order. None may be refused."""
        by_key: dict[str, list[tuple[str, str, Any, str]]] = {}
        for one in asked:
            by_key.setdefault(one[1], []).append(one)

        def run(some: list[tuple[str, str, Any, str]]) -> list[Any]:
            return [self.command(name, key, body, id=id) for name, key, body, id in some]

        with ThreadPoolExecutor(at_once) as threads:
            answers = [answer for some in threads.map(run, by_key.values()) for answer in some]
        assert not [answer for answer in answers if "status" in answer]
        return answers

    # Reads.

    def get(self, path: str) -> Any:
        answer = self.api.call(f"GET {path}")
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json

    def lines(self, customer: str) -> list[Any]:
        """All pages of the view."""
        rows, cursor = list[Any](), ""
        while True:
            page = self.get(f"/customers/{customer}/lines?limit=1000{cursor}")
            rows += page["rows"]
            if page["cursor"] is None:
                return rows
            cursor = f"&cursor={page['cursor']}"

    # What an operator has.

    def ask(self, **ask: Any) -> Any:
        """The control function."""
        answer = self.invoke(self.control, ask)
        assert "refused" not in answer, answer
        return answer

    def standing(self, view: str) -> Mapping[str, Any]:
        (shown,) = self.ask(request="status", view=view)["views"]
        return shown

    def parked(self, view: str) -> list[Mapping[str, Any]]:
        return self.ask(request="parked", view=view)["parked"]

    def invoke(self, name: str, event: Any) -> Any:
        answer = self._lambda.invoke(FunctionName=name, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def deploy_mended(self) -> None:
        """The projector with a variable that mends a function, as another deployment would have it."""
        found = self._lambda.get_function_configuration(FunctionName=self.projector)["Environment"]["Variables"]
        changed = {"Variables": {**found, "MENDED": "1"}}
        self._lambda.update_function_configuration(FunctionName=self.projector, Environment=changed)


def eventually(check: Callable[[], None]) -> None:
    """Until it raises no AssertionError any more; else the last one, which whatever else it raises has with it."""
    last = AssertionError("nothing was seen yet")

    def holds() -> bool:
        nonlocal last
        try:
            check()
        except AssertionError as error:
            last = error
            return False
        except Exception as error:
            error.add_note(f"when it was looked at before: {last}")
            raise
        return True

    try:
        wait_until(holds, WAIT_SECONDS, "it to hold", interval_seconds=0.2)
    except TimeoutError:
        raise last from None
