"""What a further step of a saga costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure, Skipped
from bench.synth_units import measured

NAMES = ("synth_saga_50_steps_per_step_vs_5", "resources_per_step")
UNITS = ("ratio", "resources")


def figures() -> list[Figure]:
    try:
        ours, plain = measured("saga_steps")
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
            measured=f"ours {ours.milliseconds}, plain L2 {plain.milliseconds} ms of CPU a step at 50 and at 5",
        ),
        Figure(
            name=NAMES[1],
            value=ours.resources_per_unit,
            unit=UNITS[1],
            peer=plain.resources_per_unit,
            better="lower",
            measured=f"two functions each, with a role, its policy and a log group: {ours.resources[50]} for 50 steps;"
            f" plain L2, a function and its role each, {plain.resources[50]}",
        ),
    ]
