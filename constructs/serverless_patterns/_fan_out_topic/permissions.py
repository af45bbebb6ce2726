"""Who may send where: queue and key policies that let SNS deliver, and the words for owners of what is imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Validations
from aws_cdk import aws_iam as iam

from .._checks import is_token
from .._grants import queue_key

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

SNS, EVENTS = "sns.amazonaws.com", "events.amazonaws.com"
_SERVICE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_PUBLISH = ("sns:Publish",)
_SEND = ("sqs:SendMessage",)


def let_send(
    scope: Construct, service: str, queue: sqs.IQueue, source: str, shown: str, policy_arn: str | None
) -> None:
    """Let a service send to a queue, under the queue's customer key, for one source alone.

    Args:
        scope: Carries warnings.
        service: Its principal.
        queue: Of ours, or somebody's.
        source: ARN of what sends.
        shown: How messages name it where the ARN is not known yet.
        policy_arn: The same ARN without a reference to the resource: its stack may need the key's. `None`: there is
            none, and the key's policy names no source.
    """
    allowed = queue.add_to_resource_policy(_allow(service, _SEND, queue.queue_arn, source)).statement_added
    if not allowed:
        what, on = f"the policy of the imported queue {queue.node.path}", _shown(queue.queue_arn, queue.node.path)
        _tell(scope, "imported-queue-policy", what, _written(service, _SEND, on, _shown(source, shown)))
    key = queue_key(queue)
    if key is not None:
        let_use_key(scope, service, key, policy_arn, shown)


def let_publish(scope: Construct, service: str, topic: sns.ITopic) -> None:
    """Let a service publish. No source: EventBridge names none to a topic's policy."""
    if not topic.add_to_resource_policy(_allow(service, _PUBLISH, topic.topic_arn, None)).statement_added:
        statement = _written(service, _PUBLISH, _shown(topic.topic_arn, topic.node.path), None)
        _tell(scope, "imported-topic-policy", f"the policy of the imported topic {topic.node.path}", statement)


def let_use_key(scope: Construct, service: str, key: kms.IKey, source: str | None, shown: str) -> None:
    """Let a service encrypt with a customer key, on behalf of one source if there is any to name."""
    if not key.add_to_resource_policy(_allow(service, _SERVICE_KEY, "*", source)).statement_added:
        named = None if source is None else _shown(source, shown)
        what = f"the policy of the imported key {key.node.path}"
        _tell(scope, "imported-key-policy", what, _written(service, _SERVICE_KEY, "*", named))


def _allow(service: str, actions: Sequence[str], resource: str, source: str | None) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[cast(iam.IPrincipal, iam.ServicePrincipal(service))],
        actions=list(actions),
        resources=[resource],
        conditions=None if source is None else {"ArnEquals": {"aws:SourceArn": source}},
    )


def _written(service: str, actions: Sequence[str], resource: str, source: str | None) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": [*actions],
        "Resource": resource,
        **({} if source is None else {"Condition": {"ArnEquals": {"aws:SourceArn": source}}}),
    }


def _shown(arn: str, path: str) -> str:
    return f"<ARN of {path}>" if is_token(arn) else arn


def _tell(scope: Construct, code: str, what: str, statement: dict[str, Any]) -> None:
    Validations.of(scope).add_warning(
        f"serverless-patterns:{code}",
        f"{what} cannot be changed here, and without this statement messages are not delivered: have its owner add "
        f"{json.dumps(statement)}",
    )
