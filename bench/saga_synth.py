"""What a further step of a saga costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure
from bench.synth_units import unit_figures

NAMES = ("synth_saga_50_steps_per_step_vs_5", "resources_per_step")


def figures() -> list[Figure]:
    made_of = "two functions each, with a role, its policy and a log group; plain L2 with a role alone"
    return unit_figures("saga_steps", NAMES, "step", made_of)
