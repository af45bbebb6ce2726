"""Handlers of our own: what runs comes with the package, and the user writes none of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .handler import Handler

if TYPE_CHECKING:
    from ._checks import Problems

_FOLDER = Path(__file__).parent / "_bundled_code"
_RUNS_AS = (
    "tables",
    "secrets",
    "parameters",
    "requirements",
    "runtime",
    "architecture",
    "memory_size",
    "timeout",
    "vpc",
    "vpc_subnets",
    "security_groups",
    "reserved_concurrent_executions",
    "provisioned_concurrent_executions",
    "layers",
    "customize",
)


class BundledHandler(Handler):
    """A function of the runtime, found in the layer; its folder holds what the layer does not."""

    known_as: str
    """In messages, and for ids."""

    services: Sequence[str]
    """AWS services that it calls, besides those of its tables, secrets and parameters."""

    own_keys: bool
    """Behind an API it does once itself what a key stands for: nothing is claimed."""

    def __init__(
        self,
        known_as: str,
        function: str,
        *,
        code: Path = _FOLDER,
        services: Sequence[str] = (),
        own_keys: bool = False,
        **arguments: Any,
    ) -> None:
        vars(self).update(known_as=known_as, services=tuple(services), own_keys=own_keys)  # frozen for everybody else
        super().__init__(code, function, **arguments)

    def __repr__(self) -> str:
        return self.known_as

    def _check_code(self, problems: Problems) -> bool:
        del problems
        return False


def running_as(handler: Handler, known_as: str, function: str, **more: Any) -> BundledHandler:
    """One of ours beside the user's code, which it calls: it runs as the user's handler says.

    Args:
        handler: The user's.
        known_as: In messages, and for ids.
        function: Of the runtime, `module:function`.
        more: Arguments of `BundledHandler`; `environment` and `grants` are added to those of the handler.
    """
    runs = {name: getattr(handler, name) for name in _RUNS_AS} | more
    runs["environment"] = {**handler.environment, **more.get("environment", {})}
    runs["grants"] = [*handler.grants, *more.get("grants", ())]
    return BundledHandler(known_as, function, code=handler.code, **runs)


def name_of(handler: Handler) -> str:
    """What ids are made of: `orders:fulfil`, and of ours what it is known as."""
    return handler.known_as if isinstance(handler, BundledHandler) else handler.function


def services_of(handler: Handler) -> Sequence[str]:
    """What ours call by themselves."""
    return handler.services if isinstance(handler, BundledHandler) else ()


def keeps_keys(handler: Handler) -> bool:
    """Whether what it answers behind an API is claimed by its key."""
    return not (isinstance(handler, BundledHandler) and handler.own_keys)
