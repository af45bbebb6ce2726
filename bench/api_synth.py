"""What a further route of an API costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure, Skipped
from bench.synth_units import measured

NAMES = ("synth_routes_100_per_route_vs_10", "resources_per_route")
UNITS = ("ratio", "resources")


def figures() -> list[Figure]:
    try:
        ours, plain = measured("api_routes")
    except Skipped as why:
        return [
            Figure(name=name, unit=unit, better="lower", skipped=str(why))
            for name, unit in zip(NAMES, UNITS, strict=True)
        ]
    return [
        Figure(
            name=NAMES[0],
            value=ours.ratio,
            unit=UNITS[0],
            peer=plain.ratio,
            better="lower",
            goal=1.1,
            measured=f"ours {ours.milliseconds}, plain L2 {plain.milliseconds} ms of CPU a route at 100 and at 10",
        ),
        Figure(
            name=NAMES[1],
            value=ours.resources_per_unit,
            unit=UNITS[1],
            peer=plain.resources_per_unit,
            better="lower",
            measured=f"a method each, a path for two, a model for four, one function: {ours.resources[100]} for 100"
            f" routes, plain L2 {plain.resources[100]}",
        ),
    ]
