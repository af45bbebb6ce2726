"""What deployed functions say about a test that failed."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverless_patterns.testing.cloud import Cloud

__all__ = ["errors_of_functions"]

MOST_LINES = 30
"""Of one function: the newest."""

MOST_CHARACTERS = 1000
"""Of one line."""


STRUCTURED_ERROR = re.compile(r'\{.*"level": ?"(ERROR|CRITICAL)"')
"""A log line in JSON, of an error that the function handled."""


REFUSED = re.compile(r'"message": ?"caller judged".*"outcome": ?"Unauthorized"')
"""An authorizer has said no, which it can only do by an exception: a 401 is no error of the function."""


def errors_of_functions(cloud: "Cloud", since: float) -> list[tuple[str, str]]:
    """Title and text for each function that logged errors since a time in epoch seconds."""
    functions = (each for one in cloud.deployments if not one.is_destroyed for each in one.functions.items())
    try:
        return [section for path, name in functions for section in _section(cloud, path, name, since)]
    except Exception as error:  # the test's own failure is what must be seen
        return [("errors of deployed functions", f"cannot be read: {error}")]


def _section(cloud: "Cloud", path: str, name: str, since: float) -> Iterator[tuple[str, str]]:
    failed = [text for text in cloud.errors(name, since=since) if not REFUSED.search(text)]
    handled = filter(STRUCTURED_ERROR.match, cloud.logs(name, since=since))
    apart = [line for line in handled if not any(line in text for text in failed)]
    lines = [line for text in (*apart, *failed) for line in text.splitlines()]
    if lines:
        left_out = len(lines) - MOST_LINES
        first = [f"({left_out} lines before these: cloud.logs({name!r}) has all)"] if left_out > 0 else []
        shown = [line[:MOST_CHARACTERS] for line in lines[-MOST_LINES:]]
        yield f"errors of function {path}", "\n".join([*first, *shown])
