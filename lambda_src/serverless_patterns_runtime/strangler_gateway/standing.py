"""How a route stands: what was set for it, and what of that holds for the code that asks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.contract import RouteSettings

__all__ = ["Standing"]


class Standing(NamedTuple):
    percent: float
    killed: bool
    generation: int
    version: int = 0
    """Of the item; 0: there is none."""
    by: str | None = None
    """None: nobody has changed it in this generation."""
    at: int | None = None
    reason: str | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any] | None, settings: RouteSettings | None) -> "Standing":
        """`settings`: None where the code has no such route any more.

        Code of a lower generation than the item's is older: what was set for the newer holds for it too. Raises
        KeyError and ValueError for an item that is none of ours.
        """
        found = _read(item) if item else None
        if settings is None:
            return found or cls(0.0, killed=False, generation=0)
        if found is None or found.generation < settings["generation"]:
            version = found.version if found else 0
            return cls(settings["initial_percent"], killed=False, generation=settings["generation"], version=version)
        return found

    @property
    def share(self) -> float:
        """What the new side gets, in percent."""
        return 0.0 if self.killed else self.percent

    def changed(self, *, percent: float, killed: bool, by: str, at: float, reason: str) -> "Standing":
        return Standing(percent, killed, self.generation, self.version + 1, by, int(at), reason)

    def attributes(self) -> dict[str, Any]:
        """Of its item, without the key."""
        return {
            contract.PERCENT: number(self.percent),
            contract.KILLED: {"BOOL": self.killed},
            contract.GENERATION: number(self.generation),
            contract.VERSION: number(self.version),
            contract.BY: {"S": self.by},
            contract.AT: number(self.at or 0),
            contract.REASON: {"S": self.reason},
        }


def number(value: float) -> dict[str, str]:
    return {"N": f"{value:g}" if isinstance(value, float) else str(value)}


def _read(item: Mapping[str, Any]) -> Standing:
    return Standing(
        float(item[contract.PERCENT]["N"]),
        item[contract.KILLED]["BOOL"],
        int(item[contract.GENERATION]["N"]),
        int(item[contract.VERSION]["N"]),
        item[contract.BY]["S"],
        int(item[contract.AT]["N"]),
        item[contract.REASON]["S"],
    )
