"""An answer of either side, or the router's own."""

from typing import Any, NamedTuple

__all__ = ["Answer"]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    """In order; names may come twice."""
    body: bytes

    def proxy_result(self) -> dict[str, Any]:
        """As API Gateway takes it."""
        raise NotImplementedError
