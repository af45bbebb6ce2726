"""How routes are set, killed and looked at: by the command that people use, or by asking what it asks."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from serverless_patterns.testing import Cloud

BY = "the demo"


class Setting(NamedTuple):
    """A route was given this share, by somebody."""

    route: str
    percent: float
    """Of visitors, for the new side; 0 for a kill."""
    asked: float
    """Epoch seconds: somebody gave the command. The same as `done` for what nobody asked for."""
    done: float
    """It stood in the table."""
    by: str = BY
    killed: bool = False


@dataclass
class Routes:
    """Of one gateway, with everything that was changed."""

    cloud: Cloud
    control: str
    """Name of the function that the command asks."""
    settings: list[Setting] = field(default_factory=list[Setting])

    def set(self, route: str, percent: float) -> None:
        """By `serverless-patterns route set`."""
        self._command(route, percent, "set", self.control, route, f"{percent:g}")

    def kill(self, route: str) -> None:
        self._command(route, 0, "kill", self.control, route)

    def flip(self, route: str, percent: float) -> None:
        """As the command does, without the second that a process takes to begin."""
        asked = time.time()
        self._ask(action="set", route=route, percent=percent, by=BY, reason="flips in the demo")
        self.settings.append(Setting(route, percent, asked, time.time()))

    def standing(self) -> Mapping[str, Mapping[str, Any]]:
        """By route: `percent`, `killed`, `by`, `at`, `reason`."""
        return {each["route"]: each for each in self._ask(action="list")["routes"]}

    def note(self, setting: Setting) -> None:
        """Somebody else has done it."""
        self.settings.append(setting)

    def _command(self, route: str, percent: float, action: str, *words: str) -> None:
        asked = time.time()
        options = ["--by", BY, "--reason", f"{action} in the demo", "--yes", "--json"]
        command = [sys.executable, "-m", "serverless_patterns.cli", "route", action, *words, *options]
        done = subprocess.run(command, env=self.cloud.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"serverless-patterns {' '.join(command[3:])} failed:\n{done.stdout}{done.stderr}")
        self.settings.append(Setting(route, percent, asked, time.time(), killed=action == "kill"))

    def _ask(self, **question: Any) -> Any:
        payload = json.dumps(question).encode()
        answer = self.cloud.client("lambda").invoke(FunctionName=self.control, Payload=payload)
        told = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or "refused" in told:
            raise RuntimeError(f"the control function says: {told}")
        return told
