"""What a further migrating route costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure
from bench.synth_units import unit_figures

NAMES = ("synth_migrated_100_per_route_vs_10", "resources_per_migrated_route")


def figures() -> list[Figure]:
    made_of = "a method each, what is left of its path to legacy, one function, one router"
    return unit_figures("migrated_routes", NAMES, "route", made_of)
