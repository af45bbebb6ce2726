"""A definition as CloudFormation will be told it, for the interpreter."""

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["definition_in"]

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}


def definition_in(
    template: Mapping[str, Any], second: str = "Recovery", *, recovery: bool = False
) -> Mapping[str, Any]:
    """Of the one saga in it, or of its recovery: the `second` machine, by its id. What belongs to another resource is
    that resource's logical id."""
    (machine,) = [
        resource["Properties"]
        for id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
        and (re.search(f"{second}[0-9A-F]{{8}}$", id) is not None) == recovery
    ]
    if "Definition" in machine:
        return _resolved(machine["Definition"])
    return json.loads(_resolved(machine["DefinitionString"]))


def _resolved(value: Any) -> Any:
    match value:
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(_resolved(part) for part in parts)
        case {"Fn::GetAtt": [str(resource), str()]}:
            return resource
        case {"Fn::Sub": str(text)}:
            assert "${" not in text, f"a substitution that this does not know: {text}"
            return text
        case {"Ref": str(name)}:
            return PSEUDO.get(name, name)
        case dict():
            assert not any(name.startswith("Fn::") for name in value), f"a function that this does not know: {value}"
            return {name: _resolved(part) for name, part in value.items()}
        case list():
            return [_resolved(part) for part in value]
        case _:
            return value
