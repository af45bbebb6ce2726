"""How `make test` shares the tests out among its three workers, each a process with fixtures and a cloud of its own.

What waits for a cloud and what only computes run beside each other, on two cores: the first worker and the third
begin with the deployed, which waits most of its time, the second with the simulated, and they meet in between.
"""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

TOGETHER = ("tests/packaging/", "tests/live/test_api_proxy_")
"""One wheel, with its environments on disk; one deployed API."""

FROM_THE_FRONT = (
    "tests/live/test_shop_demo.py",
    "tests/live/test_media_demo.py",
    "tests/live/test_saga_matrix_live.py",
    "tests/live/test_fan_out_topic_live.py",
    "tests/live/test_cqrs_table_live.py",
    "tests/live/test_parallel_map_live.py",
    "tests/live/test_circuit_breaker",
    "tests/packaging/",
    "tests/runtime/cqrs_sql/",
    "tests/live/test_load_leveled_queue",
    "tests/live/test_redrive",
    "tests/live/test_api_proxy_",
    "tests/live/",
)
FROM_THE_BACK = ("tests/simulation/", "tests/template/")
"""Begun with, in this order: what takes longest comes first. Everything else lies between."""


class SharingOut(LoadScopeScheduling):
    """A share is a file, or files that belong together; every second worker takes its shares from the back."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((together for together in TOGETHER if file.startswith(together)), file)

    def _assign_work_unit(self, node: WorkerController) -> None:
        row = sorted(self.workqueue, key=place)
        self.workqueue.move_to_end(row[-1 if self.nodes.index(node) % 2 else 0], last=False)
        super()._assign_work_unit(node)


def place(share: str) -> tuple[int, str]:
    """Where a share stands in the row that both ends are taken from."""
    for number, beginning in enumerate(FROM_THE_FRONT):
        if share.startswith(beginning):
            return number - len(FROM_THE_FRONT), share
    for number, beginning in enumerate(FROM_THE_BACK):
        if share.startswith(beginning):
            return len(FROM_THE_BACK) - number, share
    return 0, share
