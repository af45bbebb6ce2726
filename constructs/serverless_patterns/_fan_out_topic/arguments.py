"""What a topic is asked for, checked before anything is defined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.claims.contract import PARTITION_KEY, TIME_TO_LIVE
from serverless_patterns_runtime.fan_out_topic.contract import MAX_ATTRIBUTES
from serverless_patterns_runtime.load_leveled_queue.contract import (
    CORRELATION_ID_ATTRIBUTE,
    DEAD_LETTER_ATTRIBUTE,
    IDEMPOTENCY_KEY_ATTRIBUTE,
    REDRIVE_ATTRIBUTE,
)

from .._checks import Problems, is_token, seconds
from .._payloads import check_payload
from .._running import check_in_pattern
from .._shapes import named, several, told
from .._tables import check_table
from ..claim_check import ClaimCheck
from ..fan_in import FanIn
from ..handler import Handler
from .gathering import COMPLETION_VARIABLES
from .kept_members import check_expected_kept
from .unmatched import UNMATCHED
from .ways_back import (
    CLAIMS_RETENTION_SECONDS,
    HEAD_FIX,
    LEAST_RETENTION_SECONDS,
    MOST_RETENTION_SECONDS,
    RETENTION_FIX,
)

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from ..defaults import Settings
    from .unmatched import Unmatched

PATH = re.compile(r"[^.\s$\[\]]+(\.[^.\s$\[\]]+)*")
_ATTRIBUTE = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")  # SNS's rule
_NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,60}")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")  # Lambda's rule
_OURS = (CORRELATION_ID_ATTRIBUTE, DEAD_LETTER_ATTRIBUTE, IDEMPOTENCY_KEY_ATTRIBUTE, REDRIVE_ATTRIBUTE)
_MOST_OWN_ATTRIBUTES = MAX_ATTRIBUTES - 2  # the key and the correlation id travel with every message


def _check_path(problems: Problems, argument: str, value: Any, example: str) -> None:
    """Refuse what is no dotted path into the body. Tokens pass, and None."""
    if value is None or is_token(value):
        return
    if not isinstance(value, str) or not PATH.fullmatch(value):
        fix = f"write {example!r}, names with dots between them"
        problems.add(argument, "be a dotted path into the body", told(value), fix)


def _attribute_paths(problems: Problems, attributes: Any) -> Mapping[str, str]:
    """Paths by attribute; `$.kind` and `kind` are the same."""
    given = named(problems, "attributes", attributes, "'kind': '$.kind'")
    if len(given) > _MOST_OWN_ATTRIBUTES:
        fix = f"SNS drops messages with more than {MAX_ATTRIBUTES} in front of a queue, and two are the runtime's own"
        problems.add("attributes", f"be at most {_MOST_OWN_ATTRIBUTES}", str(len(given)), fix)
    paths: dict[str, str] = {}
    for name, path in given.items():
        if not _ATTRIBUTE.fullmatch(str(name)) or name.lower().startswith(("aws.", "amazon.")):
            fix = "SNS takes A-Z a-z 0-9 _ - and single dots inside, up to 256 characters"
            problems.add(f"attributes[{name!r}]", "be named as SNS wants it", repr(name), fix)
        elif name in _OURS:
            problems.add(f"attributes[{name!r}]", "have a name of its own", repr(name), "the runtime sets it")
        else:
            bare = path.removeprefix("$.") if isinstance(path, str) else path
            _check_path(problems, f"attributes[{name!r}]", bare, "$.kind")
            paths[name] = bare
    return paths


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user gave."""

    idempotency_key: str | None
    fan_in: FanIn | None
    attributes: Mapping[str, str]
    claim_check: ClaimCheck | None
    unmatched: Unmatched | None
    fifo: bool
    content_based_deduplication: bool
    topic: sns.ITopic | None
    claims: dynamodb.ITable | None
    namespace: str
    encryption_key: kms.IKey | None
    access_logs: s3.IBucket | None


def checked(problems: Problems, scope: Construct, asked: Asked, settings: Settings) -> Asked:
    """The same, with bare paths, when nothing is wrong."""
    _check_topic(problems, asked)
    _check_others(problems, asked)
    paths = _attribute_paths(problems, asked.attributes)
    _check_fan_in(problems, asked.fan_in, scope, settings)
    _check_claim_check(problems, asked.claim_check)
    _check_expected(problems, asked)
    return replace(asked, attributes=paths)


def _check_topic(problems: Problems, asked: Asked) -> None:
    """Refuse what SNS refuses, and what contradicts itself."""
    topic: Any = asked.topic
    if topic is not None:
        if not hasattr(topic, "topic_arn"):
            fix = "pass the construct, or one of sns.Topic.from_...; leave it out for one of its own"
            problems.add("topic", "be an SNS topic", told(topic), fix)
        for argument in ("fifo", "content_based_deduplication"):
            if getattr(asked, argument):
                fix = "set it where that topic is defined"
                problems.add(argument, "be left out with a topic of yours", "True", fix)
    elif asked.content_based_deduplication and not asked.fifo:
        fix = "pass fifo=True, or leave it out"
        problems.add("content_based_deduplication", "be left out on a standard topic", "True", fix)
    _check_path(problems, "idempotency_key", asked.idempotency_key, "order_id")
    given: Any = asked.namespace
    if not is_token(given) and not (isinstance(given, str) and _NAMESPACE.fullmatch(given)):
        fix = "it is data: choose a name that will not change"
        problems.add("namespace", "be 1 to 60 of A-Z a-z 0-9 . _ -", repr(asked.namespace), fix)


def _check_others(problems: Problems, asked: Asked) -> None:
    if asked.claims is not None:
        fix = f"define it so, with {TIME_TO_LIVE!r} as its time to live, or leave claims out"
        check_table(problems, "claims", asked.claims, PARTITION_KEY, fix)
    if asked.unmatched is not None:
        problems.one_of("unmatched", asked.unmatched, UNMATCHED, "leave it out to let them go")
    for argument, attribute, what in (
        ("access_logs", "bucket_name", "an S3 bucket"),
        ("encryption_key", "key_arn", "a KMS key"),
    ):
        value = getattr(asked, argument)
        if value is not None and not hasattr(value, attribute):
            problems.add(argument, f"be {what}", told(value), "pass the construct, or leave it out")


def _check_fan_in(problems: Problems, fan_in: Any, scope: Construct, settings: Settings) -> None:
    """Refuse a fan-in that would forget before a branch can come back."""
    if fan_in is None:
        return
    if not isinstance(fan_in, FanIn):
        fix = "write fan_in=FanIn(on_complete=Handler(...))"
        problems.add("fan_in", "be a FanIn", told(fan_in), fix)
        return
    handler = fan_in.on_complete
    if isinstance(handler, Handler):  # pyright: ignore[reportUnnecessaryIsInstance]
        check_in_pattern(problems, "fan_in on_complete", handler, scope, settings, COMPLETION_VARIABLES)
        check_payload(problems, "fan_in on_complete", handler, "Completion", "a Completion")
    else:
        fix = "our runtime hands it the results: wrap your Python function in a Handler"
        problems.add("fan_in on_complete", "be a Handler", told(handler), fix)
    _check_path(problems, "fan_in expected", fan_in.expected, "branches")
    problems.whole_number("fan_in max_concurrency", fan_in.max_concurrency, 2, 1_000, "leave it out for 5")
    _check_head(problems, fan_in.retention)
    _check_deadline(problems, fan_in.deadline, seconds(fan_in.retention))


def _check_deadline(problems: Problems, deadline: Any, retention: int | None) -> None:
    most = (retention or MOST_RETENTION_SECONDS) - 1
    fix = "it counts from a message's arrival; less than retention, which is how long results are kept"
    problems.duration("fan_in deadline", deadline, 1, most, fix)


def _check_head(problems: Problems, retention: Any) -> None:
    """Refuse an end that is forgotten before the claims of its branches."""
    problems.duration("fan_in retention", retention, CLAIMS_RETENTION_SECONDS, MOST_RETENTION_SECONDS, HEAD_FIX)


def _check_kept(problems: Problems, argument: str, retention: Any) -> None:
    """Refuse what is deleted before the last way back of a message has ended."""
    problems.duration(argument, retention, LEAST_RETENTION_SECONDS, MOST_RETENTION_SECONDS, RETENTION_FIX)


def _check_claim_check(problems: Problems, claim_check: Any) -> None:
    """Refuse payloads that are deleted before their messages."""
    if claim_check is None:
        return
    if not isinstance(claim_check, ClaimCheck):
        problems.add("claim_check", "be a ClaimCheck", told(claim_check), "write claim_check=ClaimCheck(keep=[...])")
        return
    for name in several(problems, "claim_check keep", claim_check.keep):
        if not isinstance(name, str) or not name:
            fix = "they stay in the message, whole: write keep=['kind']"
            problems.add("claim_check keep", "hold names of top-level members", repr(name), fix)
    _check_kept(problems, "claim_check retention", claim_check.retention)
    bucket: Any = claim_check.bucket
    if bucket is not None and not hasattr(bucket, "bucket_name"):
        problems.add("claim_check bucket", "be an S3 bucket", told(bucket), "leave it out for one of its own")


def _check_expected(problems: Problems, asked: Asked) -> None:
    if asked.fan_in is None or asked.claim_check is None or problems.have("fan_in", "claim_check"):
        return
    expected, key = asked.fan_in.expected, asked.idempotency_key
    if not is_token(expected) and not problems.have("fan_in expected", "claim_check keep"):
        check_expected_kept(problems, expected, asked.claim_check.keep, key)


def check_publisher(problems: Problems, name: Any) -> None:
    """Refuse a name that no variable can have."""
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name) or name.startswith(("AWS_", "LAMBDA_")):
        fix = "it is the name of a variable, and of the topic in publish(): write 'ORDER_EVENTS'"
        problems.add("name", "be a letter, then letters, digits or _ (two or more)", told(name), fix)
