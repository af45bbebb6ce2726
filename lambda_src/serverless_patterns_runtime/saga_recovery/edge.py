"""What the recovery's two functions have outside of themselves."""

from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.executions import Listed

__all__ = ["GuardianEdge", "LedgerEdge"]


class LedgerEdge(NamedTuple):
    outside: Outside
    state_machine_arn: str
    longest_seconds: int

    @classmethod
    def from_environment(cls) -> "LedgerEdge":
        env = environment.read(contract.LedgerEnv)
        return cls(Outside.deployed(), env.STATE_MACHINE_ARN, int(env.LONGEST_SECONDS))


class GuardianEdge(NamedTuple):
    outside: Outside
    state_machine_arn: str
    recovery_state_machine_arn: str
    seen: set[Listed]
    """Executions that need no look any more: as long as the function is warm."""

    @classmethod
    def from_environment(cls) -> "GuardianEdge":
        env = environment.read(contract.GuardianEnv)
        return cls(Outside.deployed(), env.STATE_MACHINE_ARN, env.RECOVERY_STATE_MACHINE_ARN, set())
