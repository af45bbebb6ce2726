"""A reference to a secret is its ARN, as on AWS; the emulator gives the name, for which no policy is written."""

from typing import Any

HANDLED = {"AWS::SecretsManager::Secret": ("create", "update", "delete")}
"""In the table of CloudFormation's resource types."""


def refer_by_arn(service: Any, cloudformation: Any) -> None:
    """Keep secrets under their ARN in stacks; the emulator's own functions go on finding them by name."""
    handlers = cloudformation._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    as_shipped = dict(handlers)

    def name_of(arn: str) -> str:
        return next((name for name, secret in service._secrets.items() if secret["ARN"] == arn), arn)

    def create(*arguments: Any, **named: Any) -> tuple[str, dict[str, str]]:
        _, attributes = as_shipped["create"](*arguments, **named)
        return attributes["Arn"], attributes

    def update(made: str, *arguments: Any, **named: Any) -> tuple[str, dict[str, str]]:
        _, attributes = as_shipped["update"](name_of(made), *arguments, **named)
        return attributes["Arn"], attributes

    def delete(made: str, *arguments: Any, **named: Any) -> None:
        as_shipped["delete"](name_of(made), *arguments, **named)

    handlers.update(create=create, update=update, delete=delete)
