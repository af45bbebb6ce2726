"""Runs the emulator with the one thing added that it lacks and our functions' roles are about: IAM of PartiQL.

The emulator would check an action `dynamodb:BatchExecuteStatement`, which does not exist. AWS checks each statement as
`dynamodb:PartiQLInsert` and so on, on its table, and so does this: through the hook that splits a transaction into
the actions of its items. AWS answers for each statement; here the first refusal fails the call. Runs in the emulator's
environment, where only the standard library and the emulator are; pinned, because the hook is private.
"""

import json
import re
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

EMULATOR = "1.5.33"
PARTIQL = ("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement", "dynamodb:ExecuteTransaction")
STATEMENT = re.compile(
    r'\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM|SELECT\b.*?\bFROM)\s+"?([\w.-]+)', re.IGNORECASE | re.DOTALL
)
ACTIONS = {"I": "PartiQLInsert", "U": "PartiQLUpdate", "D": "PartiQLDelete", "S": "PartiQLSelect"}

Check = tuple[str, str]


def authorize_partiql(hooks: Any) -> None:
    """Let `hooks.dynamodb_transaction_checks` also split PartiQL calls."""
    of_transaction, table_arn = hooks.dynamodb_transaction_checks, hooks._dynamodb_table_arn

    def checks(iam_action: str, body: bytes, region: str, account_id: str) -> list[Check]:
        if iam_action not in PARTIQL:
            return of_transaction(iam_action, body, region, account_id)
        return [
            (f"dynamodb:{action}", table_arn(table, region, account_id))
            for action, table in _statements(json.loads(body))
        ]

    hooks.dynamodb_transaction_checks = checks


def _statements(request: dict[str, Any]) -> list[Check]:
    each = request.get("Statements") or request.get("TransactStatements") or [request]
    matches = (STATEMENT.match(str(one.get("Statement", ""))) for one in each)
    return [(ACTIONS[found[1][0].upper()], found[2]) for found in matches if found]


def main() -> None:
    """Check the pin and the hook, then serve."""
    found = version("ministack")
    hooks: Any = import_module("ministack.core.iam_actions")
    if found != EMULATOR or not hasattr(hooks, "dynamodb_transaction_checks"):
        sys.exit(f"the emulator must be ministack {EMULATOR} with its hook for transactions, found {found}")
    authorize_partiql(hooks)
    server: Any = import_module("ministack.app")
    server.main()


if __name__ == "__main__":
    main()
