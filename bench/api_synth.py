"""What a further route of an API costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure
from bench.synth_units import unit_figures

NAMES = ("synth_routes_100_per_route_vs_10", "resources_per_route")


def figures() -> list[Figure]:
    return unit_figures("api_routes", NAMES, "route", "a method each, a path for two, a model for four, one function")
