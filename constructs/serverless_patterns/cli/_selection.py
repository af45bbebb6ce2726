"""Which dead letters a user means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverless_patterns.cli._letters import Letter

__all__ = ["Selection"]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Every condition that is given must hold."""

    reason: str | None = None
    """A part of the reason, in any case."""
    error_type: str | None = None
    message_ids: tuple[str, ...] = ()
    """Message ids, or their beginnings."""

    @property
    def everything(self) -> bool:
        return self == Selection()

    def includes(self, letter: Letter) -> bool:
        return (
            (self.reason is None or self.reason.casefold() in letter.reason.casefold())
            and (self.error_type is None or self.error_type == letter.error_type)
            and (not self.message_ids or letter.message_id.startswith(self.message_ids))
        )

    def __str__(self) -> str:
        parts = [
            f'reason contains "{self.reason}"' if self.reason is not None else "",
            f"error type {self.error_type}" if self.error_type is not None else "",
            f"message id begins with {' or '.join(self.message_ids)}" if self.message_ids else "",
        ]
        return " and ".join(filter(None, parts))
