"""However many changes there are: a document is built once each `every`, and each change is in it by then."""

from .cqrs_document_times import DocumentTimes

SEEDS = 60


def test_builds_are_no_more_than_the_time_allows() -> None:
    worlds = [DocumentTimes(seed) for seed in range(SEEDS)]
    for world in worlds:
        world.run()
    changes, builds = sum(world.changes for world in worlds), sum(len(world.builds) for world in worlds)
    assert changes > 20 * builds > 20 * 10 * SEEDS
    assert sum(world.again for world in worlds) >= 10
    assert sum(world.lost for world in worlds) >= 10
    assert any(not world.again for world in worlds)
