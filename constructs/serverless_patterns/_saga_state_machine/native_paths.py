"""What a native task reads may not be there. Step Functions ends an execution then, and nothing could catch that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serverless_patterns_runtime.saga_state_machine import contract

from .conditions import all_there, moved_to
from .foreign import paths_in

if TYPE_CHECKING:
    from ..saga_step import Doing
    from .plan import Planned
    from .states import Place, State, States


def looked_up(name: str, doing: Doing | None, task: State, place: Place, missing: State) -> States:
    """A task, and before one that reads paths a look whether there is something at each: nothing catches that.

    Args:
        name: Of the first of the states.
        doing: What the task calls.
        task: Whole.
        place: Where things are.
        missing: What happens instead.
    """
    paths = [path for path in paths_in(doing) if path != "$" and not path.startswith("$$")]
    if not paths:
        return {name: task}
    called, refused = f"{name} called", f"{name} refused"
    rule = {**all_there([moved_to(place.document, path) for path in paths]), "Next": called}
    return {name: {"Type": "Choice", "Choices": [rule], "Default": refused}, called: task, refused: missing}


def nothing_there(one: Planned) -> State:
    """The error of a task that reads where there is nothing."""
    cause = f"{one.name}: there is nothing at one of the paths that its native task reads"
    return {"Error": contract.PERMANENT_ERROR, "Cause": cause}
