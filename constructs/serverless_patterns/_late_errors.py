"""What can be refused only when the whole app is there: CDK tells it at synth, with the construct's path."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import jsii
from constructs import IConstruct, IValidation


@jsii.implements(IValidation)
class _Late:
    def __init__(self, look: Callable[[], list[str]]) -> None:
        self._look = look

    def validate(self) -> list[str]:
        return self._look()


def refuse_late(construct: IConstruct, look: Callable[[], list[str]]) -> None:
    """Refuse, at every synth, what the messages say; none: nothing is wrong."""
    construct.node.add_validation(cast(IValidation, _Late(look)))
