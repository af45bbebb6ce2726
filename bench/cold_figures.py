"""Figures of a cold start: instructions until the handler is loaded, beside a peer's, and files compiled."""

from bench.cold_process import START, START_ONLY, Deployed, compilations, million_instructions
from bench.figure import Figure, Skipped

__all__ = ["Peer", "compilations_figure", "instruction_figures"]

Peer = tuple[str, float, Deployed, str]
"""The figure's name and goal, what is deployed, and what it is."""


def instruction_figures(ours: Deployed, *peers: Peer) -> list[Figure]:
    """A ratio to each of the peers; the floor is the runtime client alone, which every function loads."""
    deployed = [peer for _, _, peer, _ in peers]
    try:
        jobs = [*((one, START) for one in (ours, *deployed)), (deployed[-1], START_ONLY)]
        ours_m, *peers_m, nothing_m = million_instructions(*jobs)
    except Skipped as skipped:
        return [
            Figure(name=name, unit="ratio", better="lower", goal=goal, skipped=str(skipped)) for name, goal, *_ in peers
        ]
    return [
        Figure(
            name=name,
            value=round(ours_m / peer_m, 3),
            unit="ratio",
            peer=1.0,
            floor=round(nothing_m / peer_m, 3),
            better="lower",
            goal=goal,
            measured=f"ours {ours_m:.0f} M, {kind} {peer_m:.0f} M, runtime client alone {nothing_m:.0f} M instructions",
        )
        for (name, goal, _, kind), peer_m in zip(peers, peers_m, strict=True)
    ]


def compilations_figure(name: str, ours: Deployed, peer: Deployed) -> Figure:
    assert ours.opt is not None
    return Figure(
        name=name,
        value=compilations(ours, ours.opt),
        unit="files",
        peer=compilations(peer, peer.task),
        floor=0,
        better="lower",
        goal=0,
        measured="files compiled from source while the handler loads",
    )
