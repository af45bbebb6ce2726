"""What a further view of a table costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure
from bench.synth_units import unit_figures

NAMES = ("synth_views_20_per_unit_vs_2", "resources_per_view")


def figures() -> list[Figure]:
    made_of = "a table; plain L2 has a function with a role and a reader of the stream for each, too"
    return unit_figures("cqrs_views", NAMES, "view", made_of)
