"""What a CqrsTable is asked for, checked before anything is defined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.cqrs_table.contract import ABOUT, CommandEnv, Env

from .._checks import Problems, is_token, seconds
from .._environment import check_size, variables
from .._running import check_in_pattern, check_provisioned
from .._shapes import several, told
from .existing import check_existing
from .roles import DECIDE, UPCAST, check_role

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from .._idempotency import Idempotency
    from ..defaults import Settings
    from ..handler import Handler

ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")  # what a path parameter can be named, too
_COMMAND = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_MOST_SCHEMAS = 1_000
_STREAM_SECONDS = 24 * 3600
_LATEST_SECONDS = _STREAM_SECONDS - 3600
_CLAIM_SECONDS = 24 * 3600
COMMAND_VARIABLES = (*BusinessFunctionEnv._fields, *ClaimsEnv._fields, *Env._fields, *CommandEnv._fields)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the stream is read: the numbers of its event source mappings."""

    batch_size: int
    max_batching_window: Duration | None
    parallelization_factor: int
    retry_attempts: int
    max_record_age: Duration


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user gave."""

    key: str
    decide: Handler
    commands: Sequence[str]
    schema_version: int
    upcast: Handler | None
    table: dynamodb.ITable | None
    time_to_live_attribute: str | None
    once: Idempotency
    reading: Reading
    encryption_key: kms.IKey | None
    access_logs: s3.IBucket | None

    def env(self, table_name: str) -> dict[str, str]:
        """What every function that reads or writes aggregates is told."""
        return Env(
            AGGREGATES_TABLE_NAME=table_name,
            AGGREGATE_KEY=self.key,
            SCHEMA_VERSION=str(self.schema_version),
            UPCAST="" if self.upcast is None else self.upcast.function,
        )._asdict()

    def command_env(self, command: str = "") -> dict[str, str]:
        """What those that decide are told besides."""
        return CommandEnv(DECIDE=self.decide.function, COMMANDS=",".join(self.commands), COMMAND=command)._asdict()


def check_asked(problems: Problems, scope: Construct, id: str, asked: Asked, settings: Settings) -> None:
    """Check every argument by itself, then what some say together."""
    _check_key(problems, asked)
    _check_commands(problems, asked.commands)
    if check_role(problems, DECIDE, asked.decide):
        handler = asked.decide
        check_in_pattern(problems, "decide", handler, scope, settings, COMMAND_VARIABLES)
        warm, reserved = handler.provisioned_concurrent_executions, handler.reserved_concurrent_executions
        check_provisioned(problems, "decide provisioned_concurrent_executions", warm, reserved)
    _check_schema(problems, asked)
    if asked.table is not None:
        check_existing(problems, scope, asked.table, asked.key)
        if asked.time_to_live_attribute is not None:
            fix = "the table is yours: set it there"
            problems.add("time_to_live_attribute", "be left out with a table of yours", "a value", fix)
    _check_others(problems, asked)
    asked.once.check_place(problems, scope)
    fix = "a command that is sent again within a day must find its first answer"
    asked.once.check_retention(problems, _CLAIM_SECONDS, fix)
    _check_reading(problems, asked.reading)
    if not problems.have("decide", "commands", "key", "schema_version", "upcast"):
        told_all = {**asked.env(""), **asked.command_env(), **asked.once.env(None)}
        check_size(problems, "decide", variables(asked.decide, told_all, id, settings.environment))


def check_same_code(problems: Problems, argument: str, handler: Handler, decide: Handler, why: str) -> None:
    """Refuse a function that would not be where another one's code is."""
    for field in ("code", "requirements"):
        mine, theirs = getattr(handler, field), getattr(decide, field)
        if mine != theirs:
            problems.add(f"{argument} {field}", f"be that of decide, {theirs}", str(mine), why)


def _check_key(problems: Problems, asked: Asked) -> None:
    for argument in ("key", "time_to_live_attribute"):
        name: Any = getattr(asked, argument)
        if name is None and argument != "key":
            continue
        if not isinstance(name, str) or is_token(name) or not ATTRIBUTE.fullmatch(name):
            fix = "it is the name of an attribute, and of a parameter in paths: 'order_id'"
            problems.add(argument, "be a letter or _, then letters, digits or _, up to 63", told(name), fix)
        elif name == ABOUT:
            problems.add(
                argument, f"be another name than {ABOUT!r}", repr(name), "what is ours of an item has that name"
            )
    if asked.time_to_live_attribute is not None and asked.time_to_live_attribute == asked.key:
        fix = "it holds the second at which DynamoDB deletes the item"
        problems.add("time_to_live_attribute", "be another attribute than key", repr(asked.key), fix)


def _check_commands(problems: Problems, commands: Any) -> None:
    seen = set[str]()
    for name in several(problems, "commands", commands):
        if not isinstance(name, str) or not _COMMAND.fullmatch(name):
            fix = "a word, as 'place': decide gets it as command.name"
            problems.add("commands", "hold names of A-Z a-z 0-9 _ -, up to 63, a letter first", told(name), fix)
        elif name in seen:
            problems.add("commands", "hold each name once", repr(name), "take one of them out")
        else:
            seen.add(name)


def _check_schema(problems: Problems, asked: Asked) -> None:
    version: Any = asked.schema_version
    if is_token(version):
        problems.add("schema_version", "be known at synth", "a token", "write its number: it belongs to the code")
    fix = "it is the schema that decide writes, counted from 1: add 1 with every change that old states do not have"
    problems.whole_number("schema_version", version, 1, _MOST_SCHEMAS, fix)
    if problems.have("schema_version"):
        return
    if asked.upcast is None:
        if version > 1:
            fix = "write upcast=Handler(code, 'orders:upcast'): it takes a state and its schema version to the next one"
            problems.add("upcast", "be given with a schema_version above 1", "None", fix)
        return
    if version == 1:
        problems.add("upcast", "be left out with schema_version 1", "a value", "there is no older state yet")
    if check_role(problems, UPCAST, asked.upcast) and not problems.have("decide"):
        why = "one function runs both: put them into one folder"
        check_same_code(problems, "upcast", asked.upcast, asked.decide, why)


def _check_others(problems: Problems, asked: Asked) -> None:
    for argument, attribute, what in (
        ("access_logs", "bucket_name", "an S3 bucket"),
        ("encryption_key", "key_arn", "a KMS key"),
    ):
        value = getattr(asked, argument)
        if value is not None and not hasattr(value, attribute):
            problems.add(argument, f"be {what}", told(value), "pass the construct, or leave it out")


def _check_reading(problems: Problems, reading: Reading) -> None:
    fix = "100 is a good start: a larger one is projected with fewer requests, and later"
    problems.whole_number("batch_size", reading.batch_size, 1, 10_000, fix)
    problems.whole_number("parallelization_factor", reading.parallelization_factor, 1, 10, "Lambda takes up to 10")
    fix = "Lambda tries so often what the function never answered, and then keeps it in the bucket"
    problems.whole_number("retry_attempts", reading.retry_attempts, 0, 10_000, fix)
    if reading.max_batching_window is not None:
        problems.duration("max_batching_window", reading.max_batching_window, 0, 300, "views are later by it")
    fix = "the stream forgets after 24 hours: before that, what cannot be projected has to be in the bucket"
    problems.duration("max_record_age", reading.max_record_age, 60, _LATEST_SECONDS, fix)
    size, window = reading.batch_size, reading.max_batching_window
    if type(size) is int and 1_000 < size <= 10_000 and not (seconds(window) or is_token(window)):
        fix = "so many come together only if Lambda waits for them: write Duration.seconds(1) or more"
        problems.add("max_batching_window", "be given with a batch_size above 1,000", "none", fix)
