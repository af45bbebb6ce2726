"""Messages that no subscriber wants: counted, and kept where asked for. SNS cannot tell: a filter knows one policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

from aws_cdk import Duration, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from serverless_patterns_runtime.fan_out_topic.contract import UNMATCHED_HANDLER, UnmatchedEnv

from .._acknowledge import acknowledge_in_template
from .._bundled import BundledHandler
from .._function import define_function, endpoints
from .._grants import grant_dead_letter
from .._queues import define_letters
from ..load_leveled_queue import LoadLeveledQueue

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from ..defaults import Settings
    from .subscriptions import Subscriber, Watch

Unmatched = Literal["keep", "count"]
UNMATCHED: tuple[Unmatched, ...] = ("keep", "count")
VARIABLES = UnmatchedEnv._fields
_CAP = 2
_TIMEOUT = Duration.seconds(30)
_UNDELIVERED = "invoked by its queue alone, which has a dead-letter queue"


def define_unmatched(
    scope: Construct,
    which: Unmatched,
    topic: sns.ITopic,
    subscribers: str,
    key: kms.IKey | None,
    settings: Settings,
    watch: Watch,
) -> tuple[LoadLeveledQueue, sqs.Queue | None]:
    """The matcher behind a queue of its own, and where it keeps what nobody wanted."""
    kept = None
    if which == "keep":
        why = "it keeps what nobody wanted, for people to look at: nothing receives from it"
        kept = define_letters(scope, "Unmatched", key, removal_policy=settings.removal_policy, why=why)
    handler = BundledHandler("Matcher", "matcher", memory_size=256)
    env = UnmatchedEnv(
        SUBSCRIBERS=subscribers,
        UNMATCHED_QUEUE_URL="" if kept is None else kept.queue_url,
        TOPIC_NAME=topic.topic_name,
    )
    function = define_function(
        scope,
        "Matcher",
        handler,
        entry_point=UNMATCHED_HANDLER,
        contract=env._asdict(),
        timeout=_TIMEOUT,
        settings=settings,
        encryption_key=key,
        reserved_concurrent_executions=None,
        required_endpoints=endpoints(handler, "sqs"),
        undelivered=_UNDELIVERED,
    )
    acknowledge_in_template(
        cast(lambda_.CfnFunction, function.node.default_child),
        checkov={"CKV_AWS_115": f"its event source mapping invokes it {_CAP} times at once and no more"},
    )
    if kept is not None:
        grant_dead_letter(cast(iam.IGrantable, function), cast(sqs.IQueue, kept))
    queue = LoadLeveledQueue(
        scope,
        "Matching",
        consumer=cast(lambda_.IFunction, function),
        max_concurrency=_CAP,
        report_batch_item_failures=True,
        encryption_key=key,
        alarms=watch.which,
        alarm_actions=watch.actions,
    )
    return queue, kept


def warn_if_all_match(scope: Construct, subscribers: Mapping[str, Subscriber]) -> None:
    """Say where the matcher runs for nothing."""
    greedy = sorted(name for name, each in subscribers.items() if not each.filter)
    if greedy:
        Validations.of(scope).add_warning(
            "serverless-patterns:unmatched-never",
            f"no message is ever unmatched: {', '.join(map(repr, greedy))} has no filter. Leave unmatched out",
        )
