"""Random schedules over the shipped handler. Every one is judged by every invariant of its profile."""

import pytest

from .schedules import GENTLE_PROFILE, MODES, WILD_PROFILE, Profile, simulate

SCHEDULES = 100
"""Per mode and profile, unless `--schedules` says otherwise."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("profile", [GENTLE_PROFILE, WILD_PROFILE], ids=lambda profile: profile.name)
def test_no_schedule_breaks_an_invariant(mode: str, profile: Profile, seed: int | None, schedules: int | None) -> None:
    seeds = [seed] if seed is not None else range(schedules or SCHEDULES)
    for each in seeds:
        simulate(mode, each, profile)
