"""What a synthesised app says about itself: its stacks, and which construct became which resource."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["Assembly", "StackArtifact"]

_OURS = re.compile(r"\[ack: Annotation::serverless-patterns:(?P<id>[a-z-]+)\]")
_OF_A_REAL_ACCOUNT = ("alarm-without-action", "layer-source")
"""Who deploys to try something out has nobody to notify, and cold starts of his own machine."""


@dataclass(frozen=True)
class StackArtifact:
    """One stack of a cloud assembly."""

    name: str
    """As CloudFormation knows it."""
    template: Path
    uses_bootstrap_roles: bool
    logical_ids: dict[str, str]
    """By construct path."""
    warnings: tuple[str, ...]
    """What this library says of it at synth, each with the path of its construct."""

    def resources_of_type(self, type_name: str) -> dict[str, dict[str, Any]]:
        """Properties of the template's resources of a type, by logical id."""
        resources: dict[str, Any] = _json(self.template).get("Resources", {})
        return {
            id: resource.get("Properties", {}) for id, resource in resources.items() if resource["Type"] == type_name
        }


class Assembly:
    """The output folder of a synthesis."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def stacks(self) -> tuple[StackArtifact, ...]:
        """All stacks, those of stages too, each after the stacks that it depends on."""
        return tuple(_stacks(self.folder))

    def find(self, construct_path: str) -> tuple[StackArtifact, str]:
        """The stack and logical id of the resource that this construct is, or mainly is.

        Raises:
            LookupError: The app defines no such resource.
        """
        for ending in ("", "/Resource", "/Default"):
            for stack in self.stacks:
                if found := stack.logical_ids.get(construct_path + ending):
                    return stack, found
        raise LookupError(f"{construct_path} is no resource of {', '.join(stack.name for stack in self.stacks)}")

    def only(self, construct_path: str, type_name: str) -> tuple[StackArtifact, str]:
        """The stack and logical id of the one resource of a type that this construct is or holds.

        Raises:
            LookupError: There is none, or several.
        """
        found = [
            (stack, logical_id)
            for stack in self.stacks
            for path, logical_id in stack.logical_ids.items()
            if f"{path}/".startswith(f"{construct_path}/") and logical_id in stack.resources_of_type(type_name)
        ]
        if len(found) != 1:
            raise LookupError(f"{construct_path} holds {len(found)} resources of type {type_name}, not one")
        return found[0]


def _stacks(folder: Path) -> list[StackArtifact]:
    artifacts: dict[str, Any] = _json(folder / "manifest.json").get("artifacts", {})
    ordered: list[StackArtifact] = []
    for name in _dependencies_first(artifacts):
        artifact = artifacts[name]
        if artifact["type"] == "cdk:cloud-assembly":
            ordered += _stacks(folder / artifact["properties"]["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            ordered.append(_stack(folder, name, artifact))
    return ordered


def _stack(folder: Path, name: str, artifact: dict[str, Any]) -> StackArtifact:
    properties = artifact["properties"]
    metadata: dict[str, list[dict[str, Any]]] = dict(artifact.get("metadata", {}))
    if beside := artifact.get("additionalMetadataFile"):
        metadata |= _json(folder / beside)
    return StackArtifact(
        name=properties.get("stackName", name),
        template=folder / properties["templateFile"],
        uses_bootstrap_roles="assumeRoleArn" in properties,
        logical_ids={
            path.removeprefix("/"): entry["data"]
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:logicalId"
        },
        warnings=tuple(_warnings(metadata)),
    )


def _warnings(metadata: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for path, entries in metadata.items():
        for entry in entries:
            found = _OURS.search(entry["data"]) if entry["type"] == "aws:cdk:warning" else None
            if found is not None and found["id"] not in _OF_A_REAL_ACCOUNT:
                yield f"{path.removeprefix('/')}: {entry['data'][: found.start()].strip()}"


def _dependencies_first(artifacts: dict[str, Any]) -> list[str]:
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name in artifacts and name not in ordered:
            for needed in artifacts[name].get("dependencies", []):
                visit(needed)
            ordered.append(name)

    for name in artifacts:
        visit(name)
    return ordered


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))
