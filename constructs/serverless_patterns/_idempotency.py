"""What makes a repeated message harmless: its key, and the table that remembers which keys ran."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy

from serverless_patterns_runtime.claims.contract import ATTEMPTS, PARTITION_KEY, TIME_TO_LIVE, Env

from ._checks import Problems, is_token, text
from ._delivery import LONGEST_RETENTION_SECONDS
from ._namespaces import check_free, take
from ._tables import check_table, define_table

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from constructs import Construct

_PATH = re.compile(r"[^.\s$\[\]]+(\.[^.\s$\[\]]+)*")
_TEN_YEARS_SECONDS = 10 * 365 * 86_400
_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True)
class Idempotency:
    """Which key a message has, and where and how long it is remembered."""

    key: str | None
    claims: dynamodb.ITable | None
    namespace: str
    retention: Duration

    def check(self, problems: Problems, scope: Construct, queue_retention: int | None) -> None:
        """Check the path, the table, the namespace, and that a claim outlives every way back of its message.

        Args:
            problems: Takes what is wrong.
            scope: Somewhere in the app.
            queue_retention: Seconds that a message lives in the queue; `None` when that is a token.
        """
        if self.key is not None and not is_token(self.key) and not _PATH.fullmatch(self.key):
            fix = "write 'order_id' or 'order.id'; leave it out for the message id"
            problems.add("idempotency_key", "be a dotted path into the body", repr(self.key), fix)
        self.check_place(problems, scope)
        low = (queue_retention or 0) + LONGEST_RETENTION_SECONDS
        fix = "a claim must outlive its message: the queue's retention + 14 days in the dead-letter queue"
        self.check_retention(problems, low, fix)

    def check_place(self, problems: Problems, scope: Construct) -> None:
        """Check the table and the namespace."""
        given: Any = self.namespace
        if not is_token(given) and not (isinstance(given, str) and _NAMESPACE.fullmatch(given)):
            fix = "it is data: choose a name that will not change"
            problems.add("claims_namespace", "be 1 to 128 of A-Z a-z 0-9 . _ -", repr(self.namespace), fix)
        elif self.namespace == ATTEMPTS:
            fix = "the runtime counts attempts under that name: pass another claims_namespace"
            problems.add("claims_namespace", f"be another word than {ATTEMPTS!r}", repr(self.namespace), fix)
        if self.claims is not None:
            fix = f"define it so, with {TIME_TO_LIVE!r} as its time to live, or leave claims out"
            if not check_table(problems, "claims", self.claims, PARTITION_KEY, fix):
                return
            fix = "pass another claims_namespace: each would take the other's messages for duplicates"
            check_free(problems, scope, self.claims, "claims_namespace", self.namespace, fix)

    def check_retention(self, problems: Problems, low: int, fix: str) -> None:
        """Check that a claim is remembered for `low` seconds at least."""
        problems.duration("claims_retention", self.retention, low, _TEN_YEARS_SECONDS, fix)

    def env(self, claims: dynamodb.ITable | None) -> dict[str, str]:
        """What the runtime is told; of a table that is still to be defined, no name."""
        return Env(
            CLAIMS_TABLE_NAME="" if claims is None else claims.table_name,
            CLAIMS_NAMESPACE=self.namespace,
            CLAIMS_RETENTION_SECONDS=text(self.retention),
        )._asdict()

    def define(self, scope: Construct, *, key: kms.IKey | None, removal_policy: RemovalPolicy) -> dynamodb.ITable:
        """The table: the given one, or one of our own."""
        claims = self.claims or define_table(
            scope, "Claims", PARTITION_KEY, key=key, removal_policy=removal_policy, time_to_live=TIME_TO_LIVE
        )
        take(scope, claims, self.namespace)
        return claims
