"""What PostgreSQL's errors mean, by their SQLSTATE. Its texts quote values, so none of them is passed on."""

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable, Unstorable
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["data_api_failure", "failure", "is_broken", "is_refused_user", "sqlstate"]

_DATA_API_STATE = re.compile(r"SQLState: ([0-9A-Z]{5})\b")

_UNSTORABLE = {
    "22": "it holds what PostgreSQL cannot keep, as text with the character 0 or a number too large",
    "23": "a constraint of the table refuses it",
    "54": "it is too large: a partition key and a sort key take about 2,700 bytes together",
}
"""By the SQLSTATE's class. With another one the same may be asked for again."""

_SAID = {
    "2BP01": "the SQL view, or something else, still shows the table",
    "3F000": "there is no such schema",
    "42501": "the user may not do it: it needs USAGE and CREATE on the schema, and has to own its tables",
    "42P01": "the generation has no table: it was dropped, or never made",
    "42P16": "the SQL view has other columns: drop it",
    "55P03": "readers of the SQL view took too long to let it be changed",
}


def sqlstate(error: BaseException) -> str | None:
    """None: it comes from the driver itself, or from the network."""
    for name in ("sqlstate", "pgcode"):  # psycopg's, psycopg2's
        if isinstance(state := getattr(error, name, None), str):
            return state
    fields: Any = error.args[0] if error.args else None
    return fields.get("C") if isinstance(fields, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def failure(error: Exception) -> Exception:
    """What the sink raises instead. An error that is no database's stays what it is."""
    state = sqlstate(error)
    if state is not None:
        return _of(state)
    return SinkUnavailable(type(error).__name__) if _is_of_a_driver(error) else error


def is_broken(error: Exception) -> bool:
    """Whether there is no connection any more: another one may do."""
    state = sqlstate(error)
    if state is None:
        return _is_of_a_driver(error)
    return state.startswith("08") or state in ("57P01", "57P02", "57P03", "57P05")


def is_refused_user(error: Exception) -> bool:
    return (sqlstate(error) or "").startswith("28")


def data_api_failure(error: ClientError | BotoCoreError) -> Exception:
    if not isinstance(error, ClientError):
        return SinkUnavailable(type(error).__name__)
    found = _DATA_API_STATE.search(error.response.get("Error", {}).get("Message", ""))
    return _of(found[1]) if found else SinkUnavailable(error_code(error))


def _of(state: str) -> Exception:
    if (why := _UNSTORABLE.get(state[:2])) is not None:
        return Unstorable(f"PostgreSQL refuses the row ({state}): {why}")
    return SinkUnavailable(f"{state}: {_SAID[state]}" if state in _SAID else state)


def _is_of_a_driver(error: Exception) -> bool:
    """PEP 249: all of a driver's errors come from its `Error`."""
    return isinstance(error, OSError) or any(base.__name__ == "Error" for base in type(error).__mro__)
