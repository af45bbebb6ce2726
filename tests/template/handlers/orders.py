"""Business functions that the template tests point at; nothing ever imports them."""

from typing import TYPE_CHECKING, Any, Optional, Union

import serverless_patterns_runtime as runtime
from serverless_patterns_runtime import Completion, Effects, Gathered, Invocation
from serverless_patterns_runtime import Effects as Writes

if TYPE_CHECKING:
    pass  # pyright: ignore


def fulfil(order: dict[str, Any], invocation: Invocation) -> Effects: ...


def fulfil_alone(order: dict[str, Any]) -> runtime.Effects: ...


def fulfil_later(order: dict[str, Any]) -> "Effects | None": ...


def fulfil_perhaps(order: dict[str, Any]) -> Optional[Effects]: ...  # noqa: UP045


def fulfil_either(order: dict[str, Any]) -> Union[runtime.Effects, None]: ...  # noqa: UP007


def fulfil_renamed(order: dict[str, Any]) -> Writes: ...


def ready(completion: Completion) -> Effects: ...


def ready_quoted(completion: "Completion") -> Effects: ...


def ready_by_module(completion: runtime.Completion) -> Effects: ...


def gathered(end: Gathered) -> Effects: ...


def call(order: dict[str, Any], invocation: Invocation | None = None, *, dry: bool = False) -> dict[str, Any]: ...


def bare(order): ...


def several(order: dict[str, Any]) -> list[Effects]: ...


try:
    import fast  # pyright: ignore  # noqa: F401

    def guarded(order: dict[str, Any]) -> Effects: ...

except ImportError:

    def guarded(order: dict[str, Any]) -> Effects: ...


def nothing() -> Effects: ...


def too_much(order: dict[str, Any], invocation: Invocation, more: int = 0) -> Effects: ...


def any_number(*orders: Any) -> Effects: ...


def demanding(order: dict[str, Any], *, table: str, index: str = "") -> Effects: ...


async def later(order: dict[str, Any]) -> Effects: ...


def piecemeal(order: dict[str, Any]):
    yield order


def makes_a_generator(order: dict[str, Any]) -> list[int]:  # noqa: ARG001
    def numbers():
        yield 1

    return list(numbers())


NOT_A_FUNCTION = 1
