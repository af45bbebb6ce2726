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
        wait_until(
            lambda: all(self._outcome(execution) != "RUNNING" for execution in executions),
            DEADLINE_SECONDS,
            "what was resumed to end",
            interval_seconds=0.5,
        )
        return {execution: self._outcome(execution) for execution in executions}

    def told(self, execution: str) -> Mapping[str, Any]:
        """Its steps, and what was done about it."""
        return self._run("show", self.guardian, execution)

    def _outcome(self, execution: str) -> str:
        return self.told(execution)["recoveries"][-1]["outcome"]

    def _run(self, *command: str) -> Any:
        words = [sys.executable, "-m", "serverless_patterns.cli", "saga", *command, "--json"]
        done = subprocess.run(words, env=self.cloud.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"serverless-patterns {' '.join(words[3:])} failed:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)
