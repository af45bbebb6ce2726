"""A command decided in a unit test, as a deployed function would."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.business_function.business_function import positional_parameters
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.command import Command, Decision
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, Schema
from serverless_patterns_runtime.cqrs_table.proposal import Asked, Decide, answer_of, proposal
from serverless_patterns_runtime.invocation import Invocation

__all__ = ["decided"]

_SCHEMA = Schema(1)


class _Model(NamedTuple):
    """A write model without a table."""

    key: str
    table_name: str = ""
    schema: Schema = _SCHEMA

    def aggregate(self, image: Any) -> Aggregate:
        return Aggregate.from_image(image, self.key, self.schema)


def decided(
    decide: Callable[..., Decision],
    state: Mapping[str, Any] | None,
    command: Command,
    *,
    key: str,
    invocation: Invocation | None = None,
) -> Decision:
    """What becomes of the aggregate, by the checks of a deployed function.

    `key`: name of the partition key, as the table has it. `state` and the answer's are as everybody reads them: with
    the key, and with int and Decimal for numbers; the answer's `result` is as its sender gets it, from JSON.

    Raises what `decide` raises, with the status that a caller would see; UnusableResult for what is no Decision,
    another key, a name of ours, and a result without JSON or of more than 256 KB; PermanentError (413) for a state
    above 400 KB; UncommittableEffects for what DynamoDB could never take; ValueError for another aggregate's state.
    """
    if state is not None and state.get(key, command.key) != command.key:
        raise ValueError(f"the state's {key} is not the command's key: write Command.fake(..., key=...)")
    known = None if state is None else Aggregate(command.key, 1, dict(state), command.at)
    image = None if known is None else known.image(key, _SCHEMA, command.name)
    name = getattr(decide, "__name__", "decide")
    called = Decide(decide, name, positional_parameters(decide) >= 3)
    asked = Asked(Claim("", "", ""), command.name, command.key, command.body, None, command.caller)
    model = cast("Any", _Model(key))
    found = proposal(asked, image, model, called, command.at / 1000, invocation or Invocation.fake())
    after = model.aggregate(found.put["Put"]["Item"])
    return Decision(after.state, answer_of(found.kept)["result"])
