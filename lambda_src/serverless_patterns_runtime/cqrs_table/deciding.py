"""One command: read, decided and committed together with its id, as often as others change the aggregate meanwhile.

Source: optimistic concurrency control (Kung and Robinson, On Optimistic Methods for Concurrency Control, 1981).
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.attribute_values import AttributeValue
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims import contract as claims_contract
from serverless_patterns_runtime.claims.claim import Claim, Contended, Holder, RunningElsewhere, Undone
from serverless_patterns_runtime.claims.commits import try_again_or_reasons
from serverless_patterns_runtime.claims.contention import tries
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.proposal import Asked, Decide, answer_of, proposal, too_large
from serverless_patterns_runtime.cqrs_table.settings import Image, WriteModel, read_batch
from serverless_patterns_runtime.errors import IdempotencyKeyReused, PermanentError, UncommittableEffects
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.limits import item_size
from serverless_patterns_runtime.payload import digest
from serverless_patterns_runtime.request import Caller

__all__ = ["Commands"]

LAST_SECONDS = 0.5
"""Kept free of requests that are tried again, for the answer that says so."""

CommandAnswer = contract.CommandAnswer
Keys = Mapping[str, Mapping[str, AttributeValue]]
"""By table."""

_REFUSED = "ConditionalCheckFailed"


class Commands(NamedTuple):
    model: WriteModel
    decide: Decide
    claims: ClaimsTable
    namespace: str
    known: Sequence[str]
    """Names of the commands that there are; empty: `decide` says which."""
    conflicted: Callable[[int], None]
    """Told of conflicts, if there were any."""

    @classmethod
    def from_environment(cls) -> "Commands":
        model = WriteModel.from_environment()
        env, claim = environment.read(contract.CommandEnv), environment.read(claims_contract.Env)
        chance = random.SystemRandom()
        seconds = int(claim.CLAIMS_RETENTION_SECONDS)
        claims = ClaimsTable(model.dynamodb, claim.CLAIMS_TABLE_NAME, seconds, {}, time.time, time.sleep, chance)
        known = tuple(name for name in env.COMMANDS.split(",") if name)
        return cls(model, Decide.load(env.DECIDE), claims, claim.CLAIMS_NAMESPACE, known, _counting(model.table_name))

    def asked(
        self,
        id: str,
        name: str,
        key: object,
        body: Any,
        expected_version: int | None,
        caller: Caller | None = None,
    ) -> Asked:
        """`id`: of the command, unlike that of any other. Raises PermanentError, status 400, for a key that is none."""
        key = _checked_key(key, self.model.key)
        payload = digest([name, key, body, expected_version])
        return Asked(Claim(self.namespace, id, payload), name, key, body, expected_version, caller)

    def execute(self, asked: Asked, invocation: Invocation) -> Executed[CommandAnswer]:
        """The command's answer, when its effect is committed; the first answer, when it was before.

        Raises what `proposal` does, when nothing of the command is committed; IdempotencyKeyReused for another command
        with its id; Contended when time runs out: nothing is committed; what `decide` raises; ClientError and
        BotoCoreError: then it is unknown, and the same command again settles it.
        """

        def remaining() -> float:
            return invocation.remaining() - LAST_SECONDS

        found, image = self._read(asked, remaining)
        if found is not None:
            return _replay(asked.claim, found)
        try:
            return self._committed(asked, image, invocation, remaining)
        except (KeyboardInterrupt, IdempotencyKeyReused, RunningElsewhere, Contended, Undone):
            raise
        except (ClientError, BotoCoreError):
            raise
        except BaseException as error:
            return self._after_refusal(asked.claim, error, remaining)

    def _read(self, asked: Asked, remaining: Callable[[], float]) -> tuple[Holder | None, Image | None]:
        """Who has done it before, and the aggregate as it is. Of two tables, so the second may be the later one."""
        claim = self._claim_key(asked.claim)
        aggregate = {self.model.table_name: {self.model.key: {"S": asked.key}}}
        found = self._found({**aggregate, **claim}, remaining)
        return self._done(found), found.get(self.model.table_name)

    def _claim_key(self, claim: Claim) -> Keys:
        return {self.claims.name: {claims_contract.PARTITION_KEY: {"S": claim.id}}}

    def _found(self, wanted: Keys, remaining: Callable[[], float]) -> Mapping[str, Image]:
        """What is there of one item of each table."""
        request = {name: {"Keys": [key], "ConsistentRead": True} for name, key in wanted.items()}
        attempts = tries(remaining, self.claims.sleep, self.claims.random)
        found = read_batch(self.claims.dynamodb, request, attempts)
        return {name: images[0] for name, images in found.items() if images}

    def _done(self, found: Mapping[str, Image]) -> Holder | None:
        claim = found.get(self.claims.name)
        return None if claim is None else self.claims.completed().judge(dict(claim))

    def _committed(
        self, asked: Asked, image: Image | None, invocation: Invocation, remaining: Callable[[], float]
    ) -> Executed[CommandAnswer]:
        self._check_known(asked.name)
        owner = f"{self.claims.random.getrandbits(128):032x}"
        conflicts = 0
        try:
            wanted = self._proposal(asked, image, invocation)
            for _ in tries(remaining, self.claims.sleep, self.claims.random):
                claim = self.claims.commits().claim_item(asked.claim, owner, wanted.kept)
                try:
                    self.claims.dynamodb.transact_write_items(TransactItems=[claim, wanted.put])
                    return Executed(answer_of(wanted.kept), replayed=False)
                except ClientError as error:
                    reasons = try_again_or_reasons(error)
                if reasons is None:
                    continue
                if reasons[0]["Code"] == _REFUSED:
                    return _told_by(Holder.from_item(reasons[0]["Item"]), asked.claim, owner)
                if reasons[1]["Code"] != _REFUSED:
                    raise _unstorable(reasons, wanted.put)
                conflicts += 1
                wanted = self._proposal(asked, reasons[1].get("Item"), invocation)
        finally:
            if conflicts:
                self.conflicted(conflicts)
        raise AssertionError("tries end by Contended")

    def _proposal(self, asked: Asked, image: Image | None, invocation: Invocation) -> Any:
        return proposal(asked, image, self.model, self.decide, self.claims.clock(), invocation)

    def _check_known(self, name: str) -> None:
        if self.known and name not in self.known:
            raise PermanentError(f"there is no such command: there are {', '.join(self.known)}", status=400)

    def _after_refusal(
        self, claim: Claim, error: BaseException, remaining: Callable[[], float]
    ) -> Executed[CommandAnswer]:
        """A command that finds its own effect may well be refused: then what was answered counts."""
        try:
            found = self._done(self._found(self._claim_key(claim), remaining))
        except (BotoCoreError, ClientError, Contended) as failure:
            if isinstance(error, PermanentError):
                raise failure from error  # a refusal would be final, and it may be wrong
            raise error from None
        if found is None:
            raise error
        return _replay(claim, found)


def _replay(claim: Claim, found: Holder) -> Executed[CommandAnswer]:
    found.judge(claim)
    return Executed(answer_of(found.answer), replayed=True)


def _told_by(holder: Holder, claim: Claim, owner: str) -> Executed[CommandAnswer]:
    """Who has the claim. The owner's own: a commit whose answer was lost, perhaps not that of the last try."""
    holder.judge(claim)
    return Executed(answer_of(holder.answer), replayed=holder.owner != owner)


def _unstorable(reasons: Sequence[Mapping[str, Any]], put: Mapping[str, Any]) -> PermanentError:
    said = next(reason for reason in reasons if reason["Code"] != "None")
    message = said.get("Message", "")
    if "Item size" in message:
        return too_large(item_size(put["Put"]["Item"]))
    return UncommittableEffects(f"DynamoDB refused the state: {said['Code']}: {message}")


def _checked_key(key: object, name: str) -> str:
    if not isinstance(key, str) or not 1 <= len(key.encode(errors="replace")) <= contract.MAX_KEY_BYTES:
        most = contract.MAX_KEY_BYTES
        raise PermanentError(f"{name} is text of 1 to {most:,} bytes: it says which aggregate is meant", status=400)
    return key


def _counting(table_name: str) -> Callable[[int], None]:
    from serverless_patterns_runtime.telemetry import count

    def told(conflicts: int) -> None:
        dimensions = {contract.TABLE_DIMENSION: table_name}
        count(contract.METRIC_CONFLICTS, conflicts, namespace=contract.METRICS_NAMESPACE, dimensions=dimensions)

    return told
