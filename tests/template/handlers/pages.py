"""What the tests of maps point at; nothing ever imports it."""

from typing import Any

from serverless_patterns_runtime import Effects, Gathered


def render(page: dict[str, Any]) -> Effects: ...


def scan(page: dict[str, Any]) -> dict[str, Any]: ...


def done(gathered: Gathered) -> Effects: ...


def tell(gathered: Gathered) -> None: ...
