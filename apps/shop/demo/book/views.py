"""The order book's views as those see them who run them: what stands in the tables, and how a rebuild goes."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from showing.deployed import Deployed

from demo.book.outcome import Lag, Progress
from serverless_patterns.testing import EmbeddedCloud

VIEW = "ByCustomer"
_ABOUT, _ROW = "_aggregate", "_row"


class Views(Deployed):
    def __init__(self, cloud: EmbeddedCloud, outputs: Mapping[str, str]) -> None:
        """`outputs` are the stack's."""
        super().__init__(cloud)
        self._cloud, self._outputs = cloud, outputs
        self._s3 = cloud.client("s3")
        self.view_table = outputs["OrdersByCustomerTable"]
        self.orders_table = outputs["OrderBookTable"]

    def status(self) -> Mapping[str, Any]:
        """Of the view that is rebuilt."""
        return next(one for one in self._ask("status")["views"] if one["view"] == VIEW)

    def are_there(self) -> bool:
        """Each can be read."""
        return all(one["live"] for one in self._ask("status")["views"])

    def sweep(self) -> None:
        """What the schedule does each minute."""
        self._ask("sweep")

    def rebuild(self) -> None:
        """Begin to. Raises RuntimeError when it cannot be begun."""
        self._run("rebuild", VIEW, "--by", "the demo", "--segments", "2", "--no-wait")

    def retry(self) -> None:
        """All that is parked, once more. Raises RuntimeError when it cannot be done."""
        self._run("retry")

    def scribble(self, order_id: str) -> None:
        """Change an order past the commands, as somebody does who means well."""
        self._dynamodb.update_item(
            TableName=self.orders_table,
            Key={"order_id": {"S": order_id}},
            UpdateExpression="SET note = :note",
            ExpressionAttributeValues={":note": {"S": "called twice"}},
        )

    def progress(self) -> Progress:
        """As the rebuild's own figures say it."""
        status = self.status()
        told = status["progress"] or {}
        return Progress(
            at=time.time(),
            live=status["live"],
            phase=status["phase"],
            scanned=told.get("scanned", 0),
            verified=told.get("verified", 0),
            differences=told.get("differences", 0),
        )

    def orders(self) -> dict[str, Mapping[str, Any]]:
        """Items of the write model by order, with their `version`; only meaningful while nothing moves."""
        return {
            row["order_id"]: {**row, "version": int(row[_ABOUT]["version"])} for row in self.rows(self.orders_table)
        }

    def live_rows(self) -> dict[str, Mapping[str, Any]]:
        """Rows of the generation that is read, by order, without tombstones."""
        live = f"{self.status()['live']}#"
        rows = [row for row in self.rows(self.view_table) if row["pk"].startswith(live)]
        return {row[_ROW]["source"]: row for row in rows if not row[_ROW].get("deleted")}

    def parked(self) -> int:
        """Changes that could not be projected."""
        return self._s3.list_objects_v2(Bucket=self._outputs["OrderBookParked"])["KeyCount"]

    def lags(self) -> list[Lag]:
        """Of each batch, as the projector measured it: seconds until a change was in all views."""
        found: list[Lag] = []
        for event in self.log_of(self._outputs["OrderBookProjector"]):
            if '"ProjectionLag"' in event.message:
                told = json.loads(event.message[event.message.index("{") :])
                value = told["ProjectionLag"]
                found.append(Lag(event.at, float(value[0] if isinstance(value, list) else value)))
        return found

    def _run(self, name: str, *options: str) -> None:
        """The command that people use."""
        command = ["view", name, self._outputs["OrderBookControl"], *options, "--yes"]
        done = subprocess.run(
            [sys.executable, "-m", "serverless_patterns.cli", *command],
            env=self._cloud.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"serverless-patterns {' '.join(command)} failed:\n{done.stdout}{done.stderr}")

    def _ask(self, request: str) -> Any:
        payload = json.dumps({"request": request}).encode()
        answer = self._lambda.invoke(FunctionName=self._outputs["OrderBookControl"], Payload=payload)
        return json.loads(answer["Payload"].read())
