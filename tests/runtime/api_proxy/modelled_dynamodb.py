"""A client over the simulation's DynamoDB: conditions are really evaluated, calls are counted, answers can get lost."""

from collections.abc import Callable, Mapping
from typing import Any

from ...simulation import aws_errors
from ...simulation.dynamodb_model import DynamoDB, Table

__all__ = ["ModelledDynamoDB"]


class ModelledDynamoDB:
    def __init__(self, clock: Callable[[], float], *tables: str) -> None:
        self.service = DynamoDB(
            {"claims": Table({"claim": "S"}), **{name: Table({"id": "S"}) for name in tables}}, clock
        )
        self.operations: list[str] = []
        self.meets: dict[str, Callable[[Callable[[], Any]], Any]] = {}
        """By operation: what happens to a request instead; it may be carried out by a call."""

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = aws_errors.operation_name("dynamodb", method)

        def call(**arguments: Any) -> Any:
            self.operations.append(operation)
            assert not aws_errors.wrong_parameters("dynamodb", operation, arguments)

            def carry_out() -> Any:
                try:
                    return getattr(self.service, method)(**arguments)
                except aws_errors.ServiceError as error:
                    raise aws_errors.client_error("dynamodb", operation, error) from None

            return self.meets[operation](carry_out) if operation in self.meets else carry_out()

        return call

    def items(self, table: str) -> Mapping[Any, Mapping[str, Any]]:
        return self.service.tables[table].items

    def claims(self) -> list[dict[str, Any]]:
        return list(self.service.tables["claims"].items.values())
