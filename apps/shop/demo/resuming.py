"""What was parked is resumed by hand, once its cause is mended: by the command that people use."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serverless_patterns.testing import Cloud, wait_until

DEADLINE_SECONDS = 120
REASON = "mended in the demo"


@dataclass(frozen=True)
class Saga:
    """The commands `serverless-patterns saga ...` for one saga."""

    cloud: Cloud
    guardian: str
    """Name of the function that they ask."""

    def open(self) -> list[str]:
        """Executions that need a person."""
        return sorted(one["execution"] for one in self._run("list", self.guardian)["executions"])

    def resume(self, executions: Sequence[str]) -> Mapping[str, str]:
        """How each ended after all."""
        for execution in executions:
            self._run("resume", self.guardian, execution, "--reason", REASON, "--yes")
        latest: dict[str, str] = {}

        def are_through() -> bool:
            latest.update(self._latest())
            return all(latest[execution] != "RUNNING" for execution in executions)

        wait_until(are_through, DEADLINE_SECONDS, "what was resumed to end", interval_seconds=0.5)
        return {execution: latest[execution] for execution in executions}

    def _latest(self) -> Mapping[str, str]:
        """By execution that was ever parked: how its latest recovery is."""
        return {one["execution"]: one["outcome"] for one in self._run("list", self.guardian, "--all")["executions"]}

    def _run(self, *command: str) -> Any:
        words = [sys.executable, "-m", "serverless_patterns.cli", "saga", *command, "--json"]
        done = subprocess.run(words, env=self.cloud.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"serverless-patterns {' '.join(words[3:])} failed:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)
