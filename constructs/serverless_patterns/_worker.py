"""The worker between a queue and its claims: a handler's function, and all that its runtime is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.load_leveled_queue.contract import HANDLER, Env

from ._checks import Problems, text
from ._consumer import TIMEOUT
from ._delivery import Delivery
from ._environment import check_size, variables
from ._function import business_function_env, define_function, endpoints, provisioned
from ._grants import grant_claims, grant_dead_letter
from ._idempotency import Idempotency
from ._protection import VARIABLES as PROTECTION_VARIABLES
from ._protection import Protection, protection_env
from ._retries import Retries
from .handler import Handler

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from .defaults import Settings

VARIABLES = (*BusinessFunctionEnv._fields, *ClaimsEnv._fields, *Env._fields, *PROTECTION_VARIABLES)


class Places(NamedTuple):
    """Where a worker takes messages, leaves those that it cannot process, and remembers those that it has."""

    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue
    claims: dynamodb.ITable


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A handler that our runtime runs for a queue. Every number is checked."""

    handler: Handler
    once: Idempotency
    retries: Retries
    delivery: Delivery
    visibility: Duration
    max_receive_count: int
    reserved_concurrent_executions: int | None
    protection: Protection | None

    @property
    def required_endpoints(self) -> tuple[str, ...]:
        """AWS services that it calls."""
        return endpoints(self.handler, "dynamodb", "sqs")

    def check_size(
        self,
        problems: Problems,
        id: str,
        settings: Settings,
        queue: sqs.IQueue | None,
        dead_letter_queue: sqs.IQueue | None,
    ) -> None:
        """Refuse more variables than Lambda takes, as far as they are known before anything is defined.

        Args:
            problems: Takes what is wrong.
            id: The pattern's.
            settings: What holds in the scope.
            queue: An existing one; `None` when it is still to be defined.
            dead_letter_queue: Likewise.
        """
        told = self._told(queue, dead_letter_queue, self.once.claims)
        check_size(problems, "consumer", variables(self.handler, told, id, settings.environment))

    def define(
        self, scope: Construct, places: Places, settings: Settings, key: kms.IKey | None
    ) -> tuple[lambda_.IFunction, lambda_.IFunction]:
        """The function with what it may do, and what is to be invoked: the function or its alias."""
        defined = define_function(
            scope,
            "Consumer",
            self.handler,
            entry_point=HANDLER,
            contract=self._told(*places),
            timeout=self.handler.timeout or TIMEOUT,
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=self.reserved_concurrent_executions,
            required_endpoints=self.required_endpoints,
        )
        grant_dead_letter(defined, places.dead_letter_queue)
        effects, counted = self.handler.returns_effects, self.delivery.counts_attempts
        grant_claims(defined, places.claims, effects=effects, counted=counted)
        for one in self._protections:
            one.guard(defined, self.handler)
        return cast(lambda_.IFunction, defined), provisioned(scope, "ConsumerLive", defined, self.handler)

    def _told(
        self, queue: sqs.IQueue | None, dead_letter_queue: sqs.IQueue | None, claims: dynamodb.ITable | None
    ) -> dict[str, str]:
        max_age = self.retries.max_age
        env = Env(
            QUEUE_URL="" if queue is None else queue.queue_url,
            DEAD_LETTER_QUEUE_URL="" if dead_letter_queue is None else dead_letter_queue.queue_url,
            IDEMPOTENCY_KEY=self.once.key or "",
            VISIBILITY_TIMEOUT_SECONDS=text(self.visibility),
            MAX_RECEIVE_COUNT=text(self.max_receive_count),
            COUNT_ATTEMPTS="true" if self.delivery.counts_attempts else "false",
            MAX_AGE_SECONDS="0" if max_age is None else text(max_age),
            RETRY_BASE_SECONDS=text(self.retries.base),
            RETRY_MAX_SECONDS=text(self.retries.longest),
        )
        guards = protection_env(self._protections)
        return {**business_function_env(self.handler), **self.once.env(claims), **env._asdict(), **guards}

    @property
    def _protections(self) -> list[Protection]:
        return [] if self.protection is None else [self.protection]
