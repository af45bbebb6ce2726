"""Random schedules over the shipped handler of an API. Every one is judged by every invariant, at every moment."""

import pytest

from .api_schedules import API_MODES, simulate_api

SCHEDULES = 150
"""Per mode, unless `--schedules` says otherwise."""


@pytest.mark.parametrize("mode", API_MODES)
def test_no_schedule_breaks_an_invariant(mode: str, seed: int | None, schedules: int | None) -> None:
    seeds = [seed] if seed is not None else range(schedules or SCHEDULES)
    for each in seeds:
        simulate_api(mode, each)
