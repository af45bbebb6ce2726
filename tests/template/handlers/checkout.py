"""Steps of a saga that the template tests point at; nothing ever imports them."""

from typing import Any

from serverless_patterns_runtime import Effects, Request, StepInput


def reserve(step: StepInput) -> Effects: ...


def release(step: StepInput) -> Effects: ...


def charge(step: StepInput) -> dict[str, Any]: ...


def refund(step: StepInput) -> None: ...


def ship(step: StepInput) -> dict[str, Any]: ...


def identify(request: Request) -> dict[str, Any]: ...


def both(given: Request | StepInput) -> dict[str, Any]: ...
