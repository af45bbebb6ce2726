"""Rules of Choice states as AWS reads them."""

import re
from collections.abc import Callable
from typing import Any

HOOKS = {"ministack.services.stepfunctions": ("_evaluate_rule", "_ExecutionError", "_resolve_path_or_ctx")}
COMPARED = re.compile(r"((?:String|Numeric|Timestamp|Boolean)(?:Equals|(?:Less|Greater)Than(?:Equals)?))Path")
ESCAPED_OR_WILD = re.compile(r"\\(.)|(\*)|([^\\*]+)")


def decide_as_told(states: Any, leads_somewhere: Callable[[Any, str, Any], bool]) -> None:
    """Let null be present and a missing variable end the execution; compare with every `...Path`, types strictly."""
    as_shipped = states._evaluate_rule

    def holds(rule: dict[str, Any], document: Any, *context: Any) -> bool:
        variable: str = rule.get("Variable", "")
        present = leads_somewhere(states, variable, document)
        if "IsPresent" in rule and not variable.startswith("$$"):
            return present == rule["IsPresent"]
        if not present:
            cause = f"Invalid path '{variable}': The choice state's condition path references an invalid value."
            raise states._ExecutionError("States.Runtime", cause)
        value = states._resolve_path_or_ctx(variable, document, *context) if variable else None
        for name, told in rule.items():
            if compared := COMPARED.fullmatch(name):
                other = states._resolve_path_or_ctx(told, document, *context)
                return holds({"Variable": variable, compared[1]: other}, document, *context)
        match rule:
            case {"BooleanEquals": wanted}:
                return value is wanted
            case {"IsNumeric": wanted} if isinstance(value, bool):
                return not wanted
            case {"StringMatches": str(pattern)}:
                return isinstance(value, str) and re.fullmatch(_pattern(pattern), value, re.DOTALL) is not None
            case _:
                return as_shipped(rule, document, *context)

    states._evaluate_rule = holds


def _pattern(told: str) -> str:
    found = ESCAPED_OR_WILD.finditer(told)
    return "".join(".*" if each[2] else re.escape(each[1] or each[3]) for each in found)
