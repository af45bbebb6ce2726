"""Business functions behind an API that the template tests point at; nothing ever imports them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverless_patterns_runtime import Caller, Effects, Invocation, Request, Response  # pyright: ignore


def get(request: "Request") -> "Response": ...


def take(request: "Request", invocation: "Invocation") -> "Effects": ...


def call(request: "Request", invocation: "Invocation") -> "Response": ...


def identify(request: "Request") -> "Caller | None": ...


def last_known(request: "Request") -> "Response": ...


def needs_more(request: "Request", invocation: "Invocation", age: int) -> "Response": ...
