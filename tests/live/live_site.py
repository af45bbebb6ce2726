"""A deployed `StranglerGateway` and the old site behind it: asked, set, broken and mended."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.move.browser import Browser, Page
from legacy.process import LegacySite
from legacy.server import POWERED_BY
from legacy.sessions import PASSWORD

from serverless_patterns.testing import Cloud, Deployment, wait_until
from serverless_patterns_runtime.strangler_gateway.standing import Standing
from tests.live.strangler_stack import SIDE, StranglerStack

OLD, NEW = "old", "new"


class LiveSite:
    def __init__(
        self, cloud: Cloud, deployment: Deployment, stack: StranglerStack, old_site: LegacySite, folder: Path
    ) -> None:
        """`folder`: for another version of the app."""
        self.cloud, self.old_site, self._folder, self._id = cloud, old_site, folder, stack.node.id
        self.url = deployment.url(stack.gateway.api)
        gateway = stack.gateway
        assert gateway.router_function
        assert gateway.control_function
        assert gateway.shadow_function
        assert gateway.control_table
        assert gateway.breaker_table
        self.router = deployment.physical_id(gateway.router_function)
        self.control = deployment.physical_id(gateway.control_function)
        self.shadow = deployment.physical_id(gateway.shadow_function)
        self.control_table = deployment.physical_id(gateway.control_table)
        self.breaker_table = deployment.physical_id(gateway.breaker_table)
        self.ledger = deployment.physical_id(stack.ledger)

    def deploy(self, version: int) -> None:
        """The same stack, with other functions on the new side."""
        app = self.cloud.app(self._folder / f"version-{version}")
        StranglerStack(app, self._id, self.old_site.url, version=version)
        self.cloud.deploy(app)

    def browser(self) -> Browser:
        return Browser(self.url)

    def forced(self, side: str, method: str, target: str, body: Any = None, **headers: str) -> Page:
        """As a tester, to `new` or `legacy`."""
        sent = {SIDE: side, "Content-Type": "application/json", **headers}
        return self.browser().ask(method, target, b"" if body is None else json.dumps(body).encode(), sent)

    def log_in(self, browser: Browser, customer: str) -> Page:
        form = f"customer={customer}&password={PASSWORD.replace(' ', '+')}".encode()
        return browser.ask("POST", "/login", form, {"Content-Type": "application/x-www-form-urlencoded"})

    def told(self, function: str, mode: str) -> None:
        """The new side's function does this from now on."""
        item = {"id": {"S": f"mode-{function}"}, "mode": {"S": mode}}
        self.cloud.client("dynamodb").put_item(TableName=self.ledger, Item=item)

    def effects(self) -> list[str]:
        """Keys under which either side has put something in a basket."""
        pages = self.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=self.ledger, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"] if "key" in item]
        return [*(item["key"]["S"] for item in items), *(effect["key"] for effect in self.old_site.effects())]

    def set(self, route: str, percent: float) -> None:
        """As the command does, without the process."""
        question = {"action": "set", "route": route, "percent": percent, "by": "a test", "reason": "a test"}
        assert "refused" not in self._asked(question)

    def leave(self, route: str, seconds: int) -> None:
        """What a route has left that was killed, was taken out of the code, and was missed so long ago."""
        then, dynamodb = int(time.time()) - seconds, self.cloud.client("dynamodb")
        stood = Standing(40.0, killed=True, generation=1, version=2, by="a test", at=then, reason="a test").attributes()
        item = {"kind": {"S": "routes"}, "entry": {"S": route}, **stood, "missing_since": {"N": str(then)}}
        dynamodb.put_item(TableName=self.control_table, Item=item)
        failed = {"breaker": {"S": route}, "failures": {"L": [{"N": str(then)}]}}
        dynamodb.put_item(TableName=self.breaker_table, Item=failed)

    def sweep(self) -> Mapping[str, Any]:
        """As the rule does once a day."""
        return self._asked({"action": "sweep"})

    def standing(self, route: str) -> Mapping[str, Any]:
        (found,) = [each for each in self._asked({"action": "list"})["routes"] if each["route"] == route]
        return found

    def command(self, *words: str) -> Any:
        """`serverless-patterns route ...`"""
        action, *more = words
        options = ["--reason", "a test", "--yes", "--json"] if action != "list" else ["--json"]
        command = [sys.executable, "-m", "serverless_patterns.cli", "route", action, self.control, *more, *options]
        done = subprocess.run(command, env=self.cloud.environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def side_of_a_new_router(self, target: str) -> str:
        """Which side a router's next environment asks: one that has read nothing yet."""
        self.cloud.kill_function(self.router)
        answers: list[Page] = []

        def is_there() -> bool:
            answers.append(self.browser().ask("GET", target))
            return answers[-1].status < 500  # whom it was about to answer, a killed process takes with it

        wait_until(is_there, 20, "a router to answer")
        return side(answers[-1])

    def metrics(self, function: str, name: str) -> list[dict[str, Any]]:
        """Lines of a function that count this."""
        lines = [json.loads(line) for line in self.cloud.logs(function) if line.startswith("{")]
        return [line for line in lines if line.get(name)]

    def _asked(self, question: Mapping[str, Any]) -> Any:
        answer = self.cloud.client("lambda").invoke(FunctionName=self.control, Payload=json.dumps(question).encode())
        return json.loads(answer["Payload"].read())


def side(page: Page) -> str:
    assert page.status < 300, page
    return OLD if POWERED_BY in page.all("X-Powered-By") else NEW


def problem(page: Page) -> int:
    """The status of one, which the body has too."""
    assert page.all("Content-Type") == ["application/problem+json"]
    assert json.loads(page.body)["status"] == page.status
    return page.status
