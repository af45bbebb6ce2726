"""What can be told only when the whole app is there: a construct may be used by stacks that come after it."""

from __future__ import annotations

from collections.abc import Callable

import jsii
from constructs import Construct, IValidation


@jsii.implements(IValidation)
class _Look:
    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look

    def validate(self) -> list[str]:
        self._look()
        return []


def once_complete(construct: Construct, look: Callable[[], None]) -> None:
    """Call it at every synth, when nothing can be added any more; what it warns of is still told."""
    construct.node.add_validation(_Look(look))
