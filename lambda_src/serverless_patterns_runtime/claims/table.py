"""The claims table as a function uses it, and everything that working with it takes."""

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.commits import Commits
from serverless_patterns_runtime.claims.completed import CompletedClaims
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.claims.tombstone import Tombstone

__all__ = ["ClaimsTable"]


class ClaimsTable(NamedTuple):
    dynamodb: Any
    name: str
    retention_seconds: int
    tables: Mapping[str, str]
    """Of the business function: logical table name to physical name."""
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: random.Random

    def commits(self) -> Commits:
        return Commits(
            dynamodb=self.dynamodb,
            table_name=self.name,
            retention_seconds=self.retention_seconds,
            tables=self.tables,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )

    def completed(self) -> CompletedClaims:
        return CompletedClaims(self.dynamodb, self.name, self.clock)

    def lease(self, claim: Claim) -> Lease:
        return Lease(
            dynamodb=self.dynamodb,
            table_name=self.name,
            retention_seconds=self.retention_seconds,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
            claim=claim,
            owner=self._owner(),
        )

    def tombstone(self, claim: Claim) -> Tombstone:
        return Tombstone(
            dynamodb=self.dynamodb,
            table_name=self.name,
            retention_seconds=self.retention_seconds,
            clock=self.clock,
            claim=claim,
            owner=self._owner(),
        )

    def _owner(self) -> str:
        return f"{self.random.getrandbits(128):032x}"
