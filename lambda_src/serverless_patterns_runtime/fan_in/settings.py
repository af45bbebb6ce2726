"""The environment of branches, of the sweep and of the function that completes, each parsed once at init."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_out_topic.contract import Subscriber
from serverless_patterns_runtime.fan_out_topic.packed import unpacked

__all__ = ["BranchSettings", "StoreSettings"]


class StoreSettings(NamedTuple):
    table_name: str
    namespace: str
    bucket: str

    @classmethod
    def from_environment(cls) -> "StoreSettings":
        return cls(*environment.read(contract.StoreEnv))


class BranchSettings(NamedTuple):
    branch: str
    subscribers: Mapping[str, Subscriber]
    """Those that take part; empty with an expression."""
    expected_path: str
    deadline_seconds: int
    retention_seconds: int
    completions_queue_url: str

    @classmethod
    def from_environment(cls) -> "BranchSettings":
        env = environment.read(contract.BranchEnv)
        return cls(
            branch=env.FAN_IN_BRANCH,
            subscribers=cast("dict[str, Subscriber]", unpacked(env.FAN_IN_SUBSCRIBERS))
            if env.FAN_IN_SUBSCRIBERS
            else {},
            expected_path=env.FAN_IN_EXPECTED,
            deadline_seconds=int(env.FAN_IN_DEADLINE_SECONDS),
            retention_seconds=int(env.FAN_IN_RETENTION_SECONDS),
            completions_queue_url=env.FAN_IN_COMPLETIONS_QUEUE_URL,
        )

    @property
    def most_branches(self) -> int:
        """That a message may have."""
        return contract.MAX_BRANCHES if self.expected_path else len(self.subscribers.keys() | {self.branch})

    @property
    def inline_bytes(self) -> int:
        """What a result may have in the head."""
        return min(contract.INLINE_RESULT_BYTES, contract.INLINE_BYTES // self.most_branches)
