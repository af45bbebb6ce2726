"""What the command line may do to a route, and what it is told of all of them."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from random import Random
from typing import Any, NamedTuple

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.changes import Beaten, change
from serverless_patterns_runtime.strangler_gateway.contract import Migration
from serverless_patterns_runtime.strangler_gateway.control_contract import (
    HISTORY_SHOWN,
    MAX_BY,
    MAX_REASON,
    Change,
    Command,
    HistoryEntry,
    Listing,
    RouteStanding,
    Swept,
)
from serverless_patterns_runtime.strangler_gateway.shares import items
from serverless_patterns_runtime.strangler_gateway.standing import Standing
from serverless_patterns_runtime.strangler_gateway.sweeping import Sweep, goes_at, stage_of

__all__ = ["Control"]

KILL_TRIES = 5
"""When others change the route at the same moment: who kills in a hurry is not to say it twice."""


class Control(NamedTuple):
    migration: Migration
    table: str
    breaker_table: str
    dynamodb: Any
    clock: Callable[[], float]
    random: Random

    def answer(self, command: Command) -> Listing | Change | Swept:
        """Raises PermanentError for what is refused, and what the client raises."""
        if command["action"] == "sweep":
            given = (self.migration, self.table, self.breaker_table, self.dynamodb, self.clock, self.random)
            return Sweep(*given).done()
        if command["action"] == "list":
            return self._list(command)
        return self._change(command, KILL_TRIES)

    def _list(self, command: Command) -> Listing:
        found = items(self.table, self.dynamodb)
        asked = command.get("route")
        known = sorted({*self.migration["routes"], *found})
        if asked is not None and asked not in known:
            if not (command.get("history") and self._history(asked)):
                raise _unknown(asked, known)
            known = [asked]  # it is forgotten, and its history is not yet
        shown = [
            self._shown(name, self._standing(name, found.get(name)), found.get(name))
            for name in known
            if asked in (None, name)
        ]
        if command.get("history"):
            for route in shown:
                route["history"] = self._history(route["route"])
        return {"gateway": self.migration["gateway"], "routes": shown}

    def _change(self, command: Command, tries: int) -> Change:
        route, by, reason = (
            _text(command, "route", 0),
            _text(command, "by", MAX_BY),
            _text(command, "reason", MAX_REASON),
        )
        before = self._found(route, command["action"])
        forget = command["action"] == "clear" and route not in self.migration["routes"]
        percent, killed = (before.percent, False) if forget else _wanted(command, before)
        if (percent, killed) == (before.percent, before.killed) and not forget and _is_said(command, before):
            shown = self._shown(route, before)
            return {"changed": False, "before": shown, "after": shown}
        after = before.changed(percent=percent, killed=killed, by=by, at=self.clock(), reason=reason)
        try:
            change(self.dynamodb, self.table, route, command["action"], before, after, self.random, forget=forget)
        except Beaten:
            if command["action"] == "kill" and tries > 1:
                return self._change(command, tries - 1)  # whatever it stands at
            raise PermanentError(self._beaten(route)) from None
        shown = None if forget else self._shown(route, after)
        return {"changed": True, "before": self._shown(route, before), "after": shown}

    def _found(self, route: str, action: str) -> Standing:
        found = items(self.table, self.dynamodb)
        if route in self.migration["routes"]:
            return self._standing(route, found.get(route))
        if route not in found:
            raise _unknown(route, sorted({*self.migration["routes"], *found}))
        if action != "clear":
            raise PermanentError(f"{route!r} is not migrating any more: it can only be cleared")
        return self._standing(route, found[route])

    def _standing(self, route: str, item: Mapping[str, Any] | None) -> Standing:
        try:
            return Standing.of(item, self.migration["routes"].get(route))
        except (KeyError, ValueError) as error:
            raise PermanentError(f"the table's item of {route!r} is none of ours: {error!r}") from error

    def _beaten(self, route: str) -> str:
        now = self._standing(route, items(self.table, self.dynamodb).get(route))
        return f"{route!r} has been changed meanwhile: {_words(now)}; look at it and say again what you want"

    def _shown(self, route: str, standing: Standing, item: Mapping[str, Any] | None = None) -> RouteStanding:
        settings, stage = self.migration["routes"].get(route), stage_of(self.migration, route)
        return {
            "route": route,
            "stage": stage,
            "goes_at": goes_at(item) if stage == "removed" else None,
            "percent": standing.percent,
            "initial_percent": None if settings is None else settings["initial_percent"],
            "generation": standing.generation,
            "killed": standing.killed,
            "by": standing.by,
            "at": standing.at,
            "reason": standing.reason,
        }

    def _history(self, route: str) -> list[HistoryEntry]:
        page = self.dynamodb.query(
            TableName=self.table,
            KeyConditionExpression="#kind = :history",
            ExpressionAttributeNames={"#kind": contract.PARTITION_KEY},
            ExpressionAttributeValues={":history": {"S": f"{contract.HISTORY}#{route}"}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=HISTORY_SHOWN,
        )
        return [_entry(item) for item in page["Items"]]


def _wanted(command: Command, before: Standing) -> tuple[float, bool]:
    if command["action"] == "kill":
        return before.percent, True
    if command["action"] == "clear" and command.get("percent") is None:
        return before.percent, False
    percent = _percent(command)
    if before.killed and command["action"] == "set":
        raise PermanentError(f"it is {_words(before)}: clear it first")
    if command["action"] == "clear" and not before.killed:
        raise PermanentError("it is not killed: set its percentage instead")
    return percent, False


def _percent(command: Command) -> float:
    percent: Any = command.get("percent")
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise PermanentError("a percentage is a number from 0 to 100")
    if round(percent, 2) != percent:
        raise PermanentError("a percentage has two decimals at most")
    return float(percent)


def _is_said(command: Command, before: Standing) -> bool:
    """Whether it need not be said again. A percentage that only the code says must be: its next version may not."""
    return command["action"] != "set" or before.by is not None


def _words(standing: Standing) -> str:
    """Who has brought it there, and why."""
    how = "killed" if standing.killed else f"at {standing.percent:g} percent"
    return how if standing.by is None else f"{how} by {standing.by} ({standing.reason})"


def _unknown(route: str, known: list[str]) -> PermanentError:
    close = get_close_matches(route, known, 3) or known[:10]
    return PermanentError(f"there is no route {route!r} that is migrating; there are: {', '.join(close) or 'none'}")


def _text(command: Command, name: str, most: int) -> str:
    given: Any = command.get(name)
    if not isinstance(given, str) or not given.strip():
        raise PermanentError(f"{name} is missing")
    if most and len(given) > most:
        raise PermanentError(f"{name} has at most {most} characters")
    return given


def _entry(item: Mapping[str, Any]) -> HistoryEntry:
    return {
        "action": item[contract.ACTION]["S"],
        "by": item[contract.BY]["S"],
        "at": int(item[contract.AT]["N"]),
        "reason": item[contract.REASON]["S"],
        "percent": float(item[contract.PERCENT]["N"]),
        "killed": item[contract.KILLED]["BOOL"],
        "was_percent": float(item[contract.WAS_PERCENT]["N"]),
        "was_killed": item[contract.WAS_KILLED]["BOOL"],
        "generation": int(item[contract.GENERATION]["N"]),
    }
