"""What a construct tells a function about the business function inside it."""

from typing import NamedTuple


class Env(NamedTuple):
    """Variables that the construct sets and the function reads: exactly these."""

    BUSINESS_FUNCTION: str
    """`module:function`, importable from the root of the function's own code."""

    RETURNS_EFFECTS: str
    """`true` when the function is annotated `-> Effects`, else `false`. Read from its source at synth."""

    TABLES: str
    """Logical table names, comma separated. Each is itself a variable that holds the table's physical name."""
