"""Writes and conditions in DynamoDB's own words: expressions with placeholders for every name and value."""

from typing import Any

from serverless_patterns_runtime import conditions as c
from serverless_patterns_runtime.attribute_values import AttributeValue, serialize, serialize_item
from serverless_patterns_runtime.effects import Check, Delete, Put, Update, Write

__all__ = ["Placeholders", "condition_expression", "transaction_item"]


class Placeholders:
    """Names and values of one request, each said once."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, AttributeValue] = {}

    def path(self, name: str) -> str:
        return ".".join(self._name(part) for part in name.split("."))

    def _name(self, part: str) -> str:
        for placeholder, known in self.names.items():
            if known == part:
                return placeholder
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = part
        return placeholder

    def value(self, value: Any) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = serialize(value)
        return placeholder

    def arguments(self) -> dict[str, Any]:
        """Only what is used: DynamoDB refuses an empty map."""
        arguments: dict[str, Any] = {}
        if self.names:
            arguments["ExpressionAttributeNames"] = self.names
        if self.values:
            arguments["ExpressionAttributeValues"] = self.values
        return arguments


def transaction_item(write: Write, table_name: str) -> dict[str, Any]:
    """One element of `TransactItems`."""
    placeholders = Placeholders()
    arguments: dict[str, Any] = {"TableName": table_name}
    match write:
        case Put():
            kind = "Put"
            arguments["Item"] = serialize_item(write.item)
        case Update():
            kind = "Update"
            arguments["Key"] = serialize_item(write.key)
            arguments["UpdateExpression"] = _update_expression(write, placeholders)
        case Delete():
            kind = "Delete"
            arguments["Key"] = serialize_item(write.key)
        case Check():
            kind = "ConditionCheck"
            arguments["Key"] = serialize_item(write.key)
    if write.condition is not None:
        arguments["ConditionExpression"] = condition_expression(write.condition, placeholders)
    return {kind: arguments | placeholders.arguments()}


def _update_expression(update: Update, placeholders: Placeholders) -> str:
    path, value = placeholders.path, placeholders.value
    clauses = [
        ("SET", [f"{path(name)} = {value(new)}" for name, new in update.set.items()]),
        ("ADD", [f"{path(name)} {value(amount)}" for name, amount in update.add.items()]),
        ("REMOVE", [path(name) for name in update.remove]),
    ]
    return " ".join(f"{verb} {', '.join(changes)}" for verb, changes in clauses if changes)


def condition_expression(condition: c.Condition, placeholders: Placeholders) -> str:
    def operand(value: Any) -> str:
        match value:
            case c.Path():
                return placeholders.path(value.name)
            case c.Size():
                return f"size({placeholders.path(value.path.name)})"
            case _:
                return placeholders.value(value)

    def nested(part: c.Condition) -> str:
        return f"({condition_expression(part, placeholders)})"

    match condition:
        case c.Comparison():
            return f"{operand(condition.left)} {condition.operator} {operand(condition.right)}"
        case c.Between():
            return f"{operand(condition.left)} BETWEEN {operand(condition.low)} AND {operand(condition.high)}"
        case c.IsIn():
            return f"{operand(condition.left)} IN ({', '.join(operand(option) for option in condition.options)})"
        case c.Exists():
            return f"attribute_exists({operand(condition.path)})"
        case c.NotExists():
            return f"attribute_not_exists({operand(condition.path)})"
        case c.BeginsWith():
            return f"begins_with({operand(condition.path)}, {operand(condition.prefix)})"
        case c.Contains():
            return f"contains({operand(condition.path)}, {operand(condition.value)})"
        case c.AllOf():
            return " AND ".join(nested(part) for part in condition.parts)
        case c.AnyOf():
            return " OR ".join(nested(part) for part in condition.parts)
        case c.Not():
            return f"NOT {nested(condition.part)}"
        case _:
            raise TypeError(f"not a condition: {type(condition).__name__}")
