"""The documents of state machines, and paths into them, as AWS reads them: what is not there is no null."""

import json
from typing import Any, cast

HOOKS = {
    "ministack.services.stepfunctions": (
        "_apply_result_path",
        "_evaluate_rule",
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


def tell_missing_from_null(states: Any) -> None:
    """Fail for a parameter whose path leads nowhere, and let null be present."""
    fill, holds = states._resolve_params_obj, states._evaluate_rule

    def fill_or_fail(template: Any, document: Any, *context: Any) -> Any:
        fields = cast("dict[str, Any]", template if isinstance(template, dict) else {})
        for name, path in fields.items():
            if name.endswith(".$") and not _leads_somewhere(states, path, document):
                cause = f"The JSONPath '{path}' specified for the field '{name}' could not be found in the input"
                raise states._ExecutionError("States.Runtime", cause)
        return fill(template, document, *context)

    def holds_for_null(rule: dict[str, Any], document: Any, *context: Any) -> bool:
        variable: str = rule.get("Variable", "")
        if "IsPresent" not in rule or variable.startswith("$$"):
            return holds(rule, document, *context)
        return _leads_somewhere(states, variable, document) == rule["IsPresent"]

    states._resolve_params_obj, states._evaluate_rule = fill_or_fail, holds_for_null


def _leads_somewhere(states: Any, path: str, document: Any) -> bool:
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
