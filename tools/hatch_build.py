"""hatchling's way in: wheels, editable installs included, get freshly built Lambda layers."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))  # hatchling loads this file by its path

import layers


class LayerHook(BuildHookInterface[Any]):
    """Runs before hatchling collects the wheel's files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Build the layers into the source tree, where `artifacts` in pyproject.toml picks them up."""
        layers.build(Path(self.root))
