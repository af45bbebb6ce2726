"""The breaker's item: every change is one conditional write, and whoever loses is told what holds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.circuit_breaker import contract
from serverless_patterns_runtime.circuit_breaker.state import CLOSED, OPEN, State
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Beaten", "Store", "StoreUnavailable"]

_NAMES = {
    "#state": contract.STATE,
    "#epoch": contract.EPOCH,
    "#failures": contract.FAILURES,
    "#open_until": contract.OPEN_UNTIL,
    "#prober": contract.PROBER,
    "#probe_until": contract.PROBE_UNTIL,
    "#opened_at": contract.OPENED_AT,
}


class StoreUnavailable(Exception):
    """Its cause says why. Whether a write was carried out is not known."""

    def __init__(self, *, busy: bool) -> None:
        super().__init__("the breaker's table cannot be used")
        self.busy = busy
        """DynamoDB answers, and says "not now": nothing was written, because many others write."""


class Beaten(Exception):
    """The condition does not hold: somebody else was first."""

    def __init__(self, found: State) -> None:
        super().__init__("another call has changed the breaker")
        self.found = found


@dataclass(frozen=True)
class Store:
    """Writes return what the item holds after them. Raises Beaten and StoreUnavailable."""

    dynamodb: Any
    """Quick to give up: see `clients.impatient_client`."""
    table: str
    breaker: str

    def read(self) -> State:
        return self._request(self.dynamodb.get_item, "Item", ConsistentRead=True)

    def count(self, seen: State, failures: Iterable[float]) -> State:
        """Write down failures, over exactly those that were `seen`."""
        condition, values = _as_seen(seen)
        return self._update("SET #failures = :failures", condition, values | {":failures": _times(failures)})

    def open(self, seen: State, opened_at: float, open_until: float) -> State:
        """From closed, over exactly the failures that were `seen`."""
        condition, values = _as_seen(seen)
        return self._update(
            "SET #state = :open, #epoch = :next, #open_until = :open_until, #opened_at = :opened_at"
            " REMOVE #failures, #prober, #probe_until",
            condition,
            values
            | {
                ":open": {"S": OPEN},
                ":next": {"N": str(seen.epoch + 1)},
                ":open_until": _time(open_until),
                ":opened_at": _time(opened_at),
            },
        )

    def claim_probe(self, prober: str, now: float, probe_until: float) -> State:
        """Become the one prober: after the cool-down, if there is none, or none that is alive."""
        return self._update(
            "SET #prober = :prober, #probe_until = :probe_until",
            "#state = :open AND #open_until <= :now AND (attribute_not_exists(#prober) OR #probe_until < :now)",
            {":prober": {"S": prober}, ":probe_until": _time(probe_until), ":now": _time(now), ":open": {"S": OPEN}},
        )

    # What only the prober may write. Its token is the fence, and stands for the epoch: no other probe has it.

    def close(self, prober: str) -> State:
        return self._as_prober(
            prober,
            "SET #state = :closed, #epoch = #epoch + :one"
            " REMOVE #failures, #open_until, #opened_at, #prober, #probe_until",
            {":closed": {"S": CLOSED}, ":one": {"N": "1"}},
        )

    def open_again(self, prober: str, open_until: float) -> State:
        return self._as_prober(
            prober,
            "SET #open_until = :open_until, #epoch = #epoch + :one REMOVE #prober, #probe_until",
            {":open_until": _time(open_until), ":one": {"N": "1"}},
        )

    def give_probe_back(self, prober: str) -> State:
        """Nothing was called: another may probe at once."""
        return self._as_prober(prober, "REMOVE #prober, #probe_until", {})

    def _as_prober(self, prober: str, changes: str, values: Mapping[str, Any]) -> State:
        return self._update(changes, "#prober = :prober", {**values, ":prober": {"S": prober}})

    def _update(self, changes: str, condition: str, values: Mapping[str, Any]) -> State:
        text = f"{changes} {condition}"
        return self._request(
            self.dynamodb.update_item,
            "Attributes",
            UpdateExpression=changes,
            ConditionExpression=condition,
            ExpressionAttributeNames={name: attribute for name, attribute in _NAMES.items() if name in text},
            ExpressionAttributeValues=dict(values),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _request(self, operation: Callable[..., Mapping[str, Any]], answer: str, **arguments: Any) -> State:
        key = {contract.PARTITION_KEY: {"S": self.breaker}}
        try:
            try:
                return State.from_item(operation(TableName=self.table, Key=key, **arguments).get(answer))
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise Beaten(State.from_item(error.response.get("Item"))) from None
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailable(busy=isinstance(error, ClientError) and error_code(error) in NOT_NOW) from error
        except (KeyError, ValueError, TypeError) as error:  # an item that somebody else has written
            raise StoreUnavailable(busy=False) from error


def _as_seen(seen: State) -> tuple[str, dict[str, Any]]:
    """The condition that neither the epoch nor the failures have changed."""
    values: dict[str, Any] = {":epoch": {"N": str(seen.epoch)}}
    epoch = "#epoch = :epoch" if seen.epoch else "(attribute_not_exists(#epoch) OR #epoch = :epoch)"
    if seen.failures is None:
        return f"{epoch} AND attribute_not_exists(#failures)", values
    return f"{epoch} AND #failures = :seen", values | {":seen": _times(seen.failures)}


def _times(times: Iterable[float]) -> dict[str, Any]:
    return {"L": [_time(time) for time in times]}


def _time(time: float) -> dict[str, str]:
    return {"N": f"{time:.3f}"}
