"""Names of what is in a database."""

from __future__ import annotations

import re
from typing import Any

from serverless_patterns_runtime.cqrs_sql.contract import MAX_TABLE_NAME, TABLE_NAME

from ._checks import Problems, is_token
from ._shapes import told

_NAMED = f"be lower-case letters, digits and _, a letter first, up to {MAX_TABLE_NAME}"
_NAME_FIX = "generations' tables have it with _g1 behind it: write 'orders_by_customer'"


def check_names(problems: Problems, database: Any, schema: Any, table: Any) -> None:
    """Refuse what PostgreSQL would take only in quotes, or cut off."""
    if not is_token(database) and (not isinstance(database, str) or not database):
        problems.add("database", "be a name", told(database), "the database has to be there: 'shop'")
    for argument, name in (("schema", schema), ("table", table)):
        if not isinstance(name, str) or not re.fullmatch(TABLE_NAME, name) or len(name) > MAX_TABLE_NAME:
            problems.add(argument, _NAMED, told(name), _NAME_FIX if argument == "table" else "write 'public'")
