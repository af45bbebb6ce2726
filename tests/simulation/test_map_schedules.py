"""Seeded schedules of a map: faults at every call, duplicates, deaths."""

import pytest

from .map_schedules import simulate_map

SCHEDULES = 300


@pytest.mark.parametrize("block", range(10))
def test_no_schedule_loses_an_item_or_tells_two_ends(block: int) -> None:
    for seed in range(block * SCHEDULES // 10, (block + 1) * SCHEDULES // 10):
        simulate_map(seed)
