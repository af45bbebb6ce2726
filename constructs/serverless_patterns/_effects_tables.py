"""Which tables a business function's `Effects` name, as far as its source tells, and whether it has them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from ._calls_in_source import calls, first_text
from ._checks import Problems, did_you_mean
from ._source import module_file, parsed

_WRITES = ("Put", "Update", "Delete", "Check")


def check_tables(code: Path, reference: str, tables: Iterable[str], problems: Problems) -> None:
    """Refuse a write to a table that the function does not have: it would fail whenever it is reached.

    Args:
        code: Folder with the function.
        reference: `module:function`, checked, annotated `-> Effects`.
        tables: Logical names of the tables that it has.
        problems: Takes what is wrong.
    """
    module_name, _, name = reference.partition(":")
    file = module_file(code, module_name)
    module = None if file is None else parsed(file)
    if file is None or module is None:
        return
    had, told = sorted(tables), set[str]()
    # Another Handler of other tables may share what it calls.
    for call in calls(module, name, _WRITES, called_too=not had):
        table = first_text(call, "table", module)
        if (table is None and had) or table in had or str(table) in told:
            continue
        told.add(str(table))
        what = "the table that it writes to" if table is None else repr(table)
        got = f"{', '.join(map(repr, had)) or 'none'}{did_you_mean(table or '', had)}"
        fix = f"pass tables={{{'...' if table is None else repr(table)}: table}}, or no write of it is ever committed"
        problems.add("tables", f"hold {what} of {ast.unparse(call.func)}(...) in {file}:{call.lineno}", got, fix)
