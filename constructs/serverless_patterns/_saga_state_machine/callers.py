"""Who starts a saga, and who asks for its status: by the routes of all APIs that lead to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import Validations

from serverless_patterns_runtime.api_proxy.contract import Evidence

if TYPE_CHECKING:
    from constructs import Construct

    from .._targets import RouteFacts


@dataclass(eq=False)
class Callers:
    """Of one saga. Evidence, by the labels of routes."""

    starts: dict[str, set[Evidence]] = field(default_factory=dict[str, set[Evidence]])
    looks: dict[str, set[Evidence]] = field(default_factory=dict[str, set[Evidence]])
    """Of routes that show to each caller what is theirs."""

    def start(self, facts: RouteFacts) -> None:
        """By this route."""
        self.starts.setdefault(facts.label, set()).add(facts.evidence)

    def look(self, facts: RouteFacts) -> None:
        """By this route."""
        self.looks.setdefault(facts.label, set()).add(facts.evidence)

    def warn(self, scope: Construct) -> None:
        """Warn of looks that find nothing, once the app is complete. Within one API they are refused."""
        kinds = {kind for found in self.starts.values() for kind in found}
        lost = sorted(label for label, found in self.looks.items() if found - kinds)
        if not kinds or not lost:
            return
        starts = " and ".join(sorted(self.starts))
        Validations.of(scope).add_warning(
            "serverless-patterns:saga-of-other-callers",
            f"{' and '.join(lost)}: status() finds an execution by who started it, and {starts}, in another API, has an"
            " authorizer of another kind: each look is a 404. Guard them alike, or write status(any_caller=True) to"
            " show executions to everybody whom the authorizer lets in",
        )
