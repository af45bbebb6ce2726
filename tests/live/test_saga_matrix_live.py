"""Every fault at every step of a deployed saga: all or nothing, or parked and the rest undone, in reverse order."""

from collections.abc import Generator, Mapping
from types import SimpleNamespace

import pytest

from serverless_patterns.testing import EmbeddedCloud
from tests.live.saga_matrix import CELLS, Cell
from tests.live.saga_matrix_run import Matrix, Played
from tests.live.saga_matrix_stack import MatrixStack
from tests.simulation.saga_invariants import end_of
from tests.simulation.saga_tree_invariants import check_tree

pytestmark = pytest.mark.timeout(600)
NOTHING = SimpleNamespace(params={})


@pytest.fixture(scope="module")
def played(
    embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Generator[Mapping[Cell, Played]]:
    """All executions of the cells that are asked for."""
    asked = {getattr(item, "callspec", NOTHING).params.get("cell") for item in request.session.items}
    app = embedded_cloud.app(tmp_path_factory.mktemp("saga") / "cdk.out")
    stack = MatrixStack(app, "SagaMatrix")
    with embedded_cloud.deploy(app) as deployment:
        yield Matrix(embedded_cloud, deployment, stack).play([cell for cell in CELLS if cell in asked])


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_fault_at_a_step_of_a_deployed_saga_leaves_all_or_nothing_or_it_is_parked(
    played: Mapping[Cell, Played], cell: Cell
) -> None:
    found = played[cell]
    try:
        check_tree(found.world)
        assert end_of(found.world) == cell.end
        was_met(found)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{found}") from failure


def was_met(found: Played) -> None:
    """The fault, and what its compensation was to do."""
    cell = found.cell
    assert found.tries_of(cell.step) == cell.outcomes
    assert (("do", cell.step) in found.books.order) == cell.has_effect
    assert found.repeated == cell.repeated
    if cell.undoing is not None:
        assert found.tries_of(f"Undo {cell.stubborn}") == cell.undoing
