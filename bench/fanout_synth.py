"""What a further subscriber of a topic costs: CPU time of synthesising it, and how many of a stack's 500 resources."""

from bench.figure import Figure
from bench.synth_units import unit_figures

NAMES = ("synth_subscribers_50_per_unit_vs_5", "resources_per_subscriber")


def figures() -> list[Figure]:
    made_of = (
        "a subscription, three queues with policies, a function with role and mapping, both; ours with a log group"
    )
    return unit_figures("fan_subscribers", NAMES, "subscriber", made_of)
