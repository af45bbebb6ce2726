"""Clients over the simulation's services: conditions are really evaluated, and calls counted; some meet a fault."""

from collections.abc import Callable
from typing import Any

from ...simulation import aws_errors

__all__ = ["Modelled", "refused"]


class Modelled:
    def __init__(self, name: str, service: Any) -> None:
        self.name = name
        self.service = service
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.meets: Callable[[str, dict[str, Any]], None] = lambda *_: None
        """Told of each request before it is carried out; may raise instead."""

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = aws_errors.operation_name(self.name, method)

        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            assert not aws_errors.wrong_parameters(self.name, operation, arguments)
            try:
                self.meets(operation, arguments)
                return getattr(self.service, method)(**arguments)
            except aws_errors.ServiceError as error:
                raise aws_errors.client_error(self.name, operation, error) from None

        return call


def refused(code: str) -> aws_errors.ServiceError:
    return aws_errors.ServiceError(code, "not now")
