"""A driver of the user's own."""

from typing import Any


def connect(host: str, port: int, user: str, password: str, database: str, ssl_context: Any) -> Any: ...
