"""The documents of state machines, and paths into them, as AWS reads them: what is not there is no null."""

import json
from typing import Any, cast

HOOKS = {
    "ministack.services.stepfunctions": (
        "_apply_result_path",
        "_exec_intrinsic",
        "_ExecutionError",
        "_invoke_resource",
        "_invoke_with_callback",
        "_parse_jsonpath_tokens",
        "_resolve_params_obj",
    )
}
MOST_BYTES = 262_144


def limit_data(states: Any) -> None:
    """Let a task fail whose result, or the document with it, is too large for Step Functions."""

    def limited(as_shipped: Any) -> Any:
        def call(*arguments: Any) -> Any:
            made = as_shipped(*arguments)
            if len(_text(made).encode()) > MOST_BYTES:
                cause = f"The state/task returned a result with a size exceeding {MOST_BYTES} bytes"
                raise states._ExecutionError("States.DataLimitExceeded", cause)
            return made

        return call

    for name in ("_invoke_resource", "_invoke_with_callback", "_apply_result_path"):
        setattr(states, name, limited(getattr(states, name)))


def miss_what_is_missing(states: Any) -> None:
    """End the execution for a parameter whose path leads nowhere; the emulator takes null for it."""
    as_shipped = states._resolve_params_obj

    def fill(template: Any, document: Any, *context: Any) -> Any:
        fields = cast("dict[str, Any]", template if isinstance(template, dict) else {})
        for name, path in fields.items():
            if name.endswith(".$") and not leads_somewhere(states, path, document):
                cause = f"The JSONPath '{path}' specified for the field '{name}' could not be found in the input"
                raise states._ExecutionError("States.Runtime", cause)
        return as_shipped(template, document, *context)

    states._resolve_params_obj = fill


def leads_somewhere(states: Any, path: str, document: Any) -> bool:
    """Whether there is a value at a path of the document, be it null. Yes for all that is no such path."""
    if not path.startswith(("$.", "$[")):
        return True
    at: Any = document
    for kind, value in states._parse_jsonpath_tokens(path) or ():
        if kind == "wildcard":
            return True
        try:
            at = at[value]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def keep_letters(states: Any) -> None:
    """Let `States.JsonToString` leave letters as they are, ASCII or not."""
    as_shipped = states._exec_intrinsic

    def call(node: tuple[str, str, Any], document: Any, context: Any) -> Any:
        made = as_shipped(node, document, context)
        return _text(json.loads(made)) if node[1] == "States.JsonToString" else made

    states._exec_intrinsic = call


def _text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
