"""DynamoDB in memory, one request at a time: conditions, transactions, PartiQL batches, limits, late time to live.

After AWS's documentation, not after an emulator; `tests/live` holds it against one.
"""

import random
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from . import attribute_values as values
from . import partiql
from .attribute_values import Item
from .aws_errors import ServiceError
from .conditions_model import Bindings, Invalid
from .expressions import parse_condition, parse_projection, parse_update
from .tokens import SyntaxFault

MAX_ITEM_BYTES = 400 * 1024
MAX_TRANSACTION_ACTIONS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_BATCH_STATEMENTS = 25
MAX_BATCH_KEYS = 100
TOKEN_SECONDS = 600
STALE_SECONDS = 1.0
"""For this long a read that is not strongly consistent may miss a write."""

LATEST_DELETION_SECONDS = 48 * 3600
NEVER = (float("-inf"), None)

Key = tuple[Any, ...]
Before = Callable[[str, Item | None, Item | None], None]
"""Told of every change: table, old item, new item."""


@dataclass
class Table:
    key: Mapping[str, str]
    """Attribute name to type."""
    time_to_live: str | None = None
    indexes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Partition key and sort key, by the index's name. An index knows its own keys and the table's, nothing more."""
    items: dict[Key, Item] = field(default_factory=dict)
    earlier: dict[Key, tuple[float, Item | None]] = field(default_factory=dict)
    """When each item last changed, and what it was before."""

    def key_of(self, item: Mapping[str, Any], *, exact: bool) -> Key:
        if exact and item.keys() != self.key.keys():
            raise invalid("The provided key element does not match the schema")
        parts = []
        for name, kind in self.key.items():
            value = item.get(name, {}).get(kind)
            if value is None:
                raise invalid("One or more parameter values were invalid: missing key or wrong type of " + name)
            if value in ("", b""):
                raise invalid(f"One or more parameter values are not valid: empty string for key {name}")
            parts.append(value)
        return tuple(parts)

    def order(self, key: Key) -> tuple[Any, ...]:
        return tuple(ordered(kind, part) for kind, part in zip(self.key.values(), key, strict=True))


def ordered(kind: str, value: Any) -> Any:
    """Text is in the order of its bytes."""
    return Decimal(value) if kind == "N" else value.encode() if kind == "S" else value


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


class Refused(Exception):
    """A condition does not hold; `item` is what it found."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("The conditional request failed")
        self.item = item


class DynamoDB:
    def __init__(
        self, tables: Mapping[str, Table], clock: Callable[[], float], chance: random.Random | None = None
    ) -> None:
        self._chance = chance or random.Random(0)
        self.tables = dict(tables)
        self.changes: list[Before] = []
        self.page = 1_000
        """Items of a query's answer: DynamoDB has pages of 1 MB."""
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}

    # Operations, by the name of the client's method.

    def get_item(
        self,
        *,
        TableName: str,
        Key: Item,
        ConsistentRead: bool = False,
        ProjectionExpression: str = "",
        ExpressionAttributeNames: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        table = self._table(TableName)
        key = table.key_of(Key, exact=True)
        item = table.items.get(key)
        changed_at, before = table.earlier.get(key, (0.0, None))
        if not ConsistentRead and self._clock() < changed_at + STALE_SECONDS and self._chance.random() < 0.5:
            item = before
        if item is None:
            return {}
        try:
            wanted = parse_projection(ProjectionExpression)(Bindings(ExpressionAttributeNames or {}, {}))
        except (Invalid, SyntaxFault) as fault:
            raise invalid(str(fault)) from None
        return {"Item": values.copied({name: item[name] for name in wanted or item if name in item})}

    def batch_get_item(self, *, RequestItems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Reads, some of which may be left for another time."""
        assert all(asked.keys() == {"Keys", "ConsistentRead"} for asked in RequestItems.values()), "no more is known"
        keys = [(name, key) for name, asked in RequestItems.items() for key in asked["Keys"]]
        if not 1 <= len(keys) <= MAX_BATCH_KEYS:
            raise invalid("Too many items requested for the BatchGetItem call")
        if len({(name, self._table(name).key_of(key, exact=True)) for name, key in keys}) < len(keys):
            raise invalid("Provided list of item keys contains duplicates")
        done = self._chance.randint(1, len(keys)) if self._chance.random() < 0.2 else len(keys)
        responses: dict[str, list[Item]] = {name: [] for name in RequestItems}
        for name, key in keys[:done]:
            consistent = RequestItems[name]["ConsistentRead"]
            item = self.get_item(TableName=name, Key=key, ConsistentRead=consistent).get("Item")
            responses[name] += [] if item is None else [item]
        left: dict[str, Any] = {}
        for name, key in keys[done:]:
            left.setdefault(name, {**RequestItems[name], "Keys": []})["Keys"].append(key)
        return {"Responses": responses, "UnprocessedKeys": left}

    def query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        ExpressionAttributeNames: Mapping[str, str],
        ExpressionAttributeValues: Mapping[str, Any],
        IndexName: str = "",
        ConsistentRead: bool = False,
        ScanIndexForward: bool = True,
        Limit: int | None = None,
        ExclusiveStartKey: Item | None = None,
    ) -> dict[str, Any]:
        """Of one partition, by `#name = :value` of its key and a condition on its sort key; only as the runtime asks,
        which is consistently.

        Of an index, which is never consistent, by a condition on its sort key too.
        """
        assert ConsistentRead is not bool(IndexName)
        if IndexName:
            bound = Bindings(ExpressionAttributeNames, ExpressionAttributeValues)
            return self._query_index(
                self._table(TableName), IndexName, KeyConditionExpression, bound, ExclusiveStartKey
            )
        self._check_expressions(
            {
                "ConditionExpression": KeyConditionExpression,
                "ExpressionAttributeNames": ExpressionAttributeNames,
                "ExpressionAttributeValues": ExpressionAttributeValues,
            }
        )
        table = self._table(TableName)
        name, value, sort = re.fullmatch(r"(#\w+) = (:\w+)(?: AND (.+))?", KeyConditionExpression).groups()  # type: ignore[union-attr]
        first, *_ = table.key
        if ExpressionAttributeNames[name] != first:
            raise invalid("Query condition missed key schema element: " + first)
        wanted = ExpressionAttributeValues[value][table.key[first]]
        fits = self._sort_condition(table, sort, ExpressionAttributeNames, ExpressionAttributeValues)
        found = (key for key, item in table.items.items() if key[0] == wanted and fits(item))
        keys = sorted(found, key=table.order, reverse=not ScanIndexForward)
        if ExclusiveStartKey is not None:
            last = table.order(table.key_of(ExclusiveStartKey, exact=True))
            keys = [key for key in keys if (table.order(key) > last if ScanIndexForward else table.order(key) < last)]
        page = keys[: min(Limit or len(keys), self.page)]
        answer: dict[str, Any] = {"Items": [values.copied(table.items[key]) for key in page], "Count": len(page)}
        if len(page) < len(keys):
            answer["LastEvaluatedKey"] = {part: table.items[page[-1]][part] for part in table.key}
        return answer

    def _sort_condition(
        self, table: Table, condition: str | None, names: Mapping[str, str], given: Mapping[str, Any]
    ) -> Callable[[Item], bool]:
        if condition is None:
            return lambda _: True
        _, sort = table.key
        if {names[name] for name in re.findall(r"#\w+", condition)} != {sort}:
            raise invalid("Query key condition not supported")
        kind = table.key[sort]
        said = [given[value] for value in re.findall(r":\w+", condition)]
        if any(value.get(kind, "") == "" for value in said):
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match the schema"
            )
        if "BETWEEN" in condition and ordered(kind, said[0][kind]) > ordered(kind, said[1][kind]):
            raise invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
        parsed, bound = parse_condition(condition), Bindings(names, given)
        return lambda item: parsed(item, bound)

    def scan(
        self,
        *,
        TableName: str,
        ConsistentRead: bool = False,
        Segment: int = 0,
        TotalSegments: int = 1,
        FilterExpression: str = "",
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        ExpressionAttributeValues: Mapping[str, Any] | None = None,
        Limit: int | None = None,
        ExclusiveStartKey: Item | None = None,
    ) -> dict[str, Any]:
        """A whole table, or one of its parts; only as the runtime asks, which is consistently."""
        assert ConsistentRead
        table = self._table(TableName)
        if not 0 <= Segment < TotalSegments:
            raise invalid("The Segment parameter must be less than the TotalSegments")
        keys = sorted(key for key in table.items if _part(key, TotalSegments) == Segment)
        if ExclusiveStartKey is not None:
            last = table.key_of(ExclusiveStartKey, exact=True)
            if _part(last, TotalSegments) != Segment:
                raise invalid("The provided Exclusive start key does not map to the provided Segment")
            keys = [key for key in keys if key > last]
        page = keys[: min(Limit or self.page, self.page)]
        bound = Bindings(ExpressionAttributeNames or {}, ExpressionAttributeValues or {})
        fits = parse_condition(FilterExpression) if FilterExpression else lambda _, __: True
        found = [table.items[key] for key in page if fits(table.items[key], bound)]
        answer: dict[str, Any] = {"Items": [values.copied(item) for item in found], "Count": len(found)}
        if len(page) < len(keys):
            answer["LastEvaluatedKey"] = {part: table.items[page[-1]][part] for part in table.key}
        return answer

    def batch_write_item(self, *, RequestItems: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
        """Of one table, without conditions; some of it may be left for another time."""
        ((name, requests),) = RequestItems.items()
        table = self._table(name)
        if not 1 <= len(requests) <= MAX_BATCH_STATEMENTS:
            raise invalid("Too many items requested for the BatchWriteItem call")
        writes: dict[Key, Item | None] = {}
        for request in requests:
            ((kind, said),) = request.items()
            put = kind == "PutRequest"
            key = table.key_of(said["Item" if put else "Key"], exact=not put)
            if key in writes:
                raise invalid("Provided list of item keys contains duplicates")
            writes[key] = {n: values.normalized(v) for n, v in said["Item"].items()} if put else None
        done = self._chance.randint(1, len(writes)) if self._chance.random() < 0.2 else len(writes)
        for key, item in list(writes.items())[:done]:
            if item is not None or key in table.items:
                self._write(name, key, item)
        return {"UnprocessedItems": {name: list(requests[done:])} if requests[done:] else {}}

    def _query_index(
        self, table: Table, index: str, condition: str, bound: Bindings, start: Item | None
    ) -> dict[str, Any]:
        """In ascending order. Shortly after a change it shows what was there before."""
        if index not in table.indexes:
            raise invalid("The table does not have the specified index: " + index)
        partition, sort = table.indexes[index]
        names = {bound.name(name) for name in re.findall(r"#\w+", condition)}
        if names != {partition, sort} or not re.fullmatch(r"(#\w+) = (:\w+) AND (#\w+) <= (:\w+)", condition):
            raise invalid("Query key condition not supported")
        fits, now = parse_condition(condition), self._clock()
        found = []
        for key, item in {**dict.fromkeys(table.earlier), **table.items}.items():
            shown = self._as_indexed(table, key, item, now)
            if shown is not None and partition in shown and sort in shown and fits(shown, bound):
                found.append({name: shown[name] for name in (*table.key, partition, sort)})
        found.sort(key=lambda item: (float(item[sort]["N"]), table.key_of(item, exact=False)))
        if start is not None:
            after = (float(start[sort]["N"]), table.key_of(start, exact=False))
            found = [item for item in found if (float(item[sort]["N"]), table.key_of(item, exact=False)) > after]
        page = [values.copied(item) for item in found[: self.page]]
        answer: dict[str, Any] = {"Items": page, "Count": len(page)}
        return answer | ({"LastEvaluatedKey": page[-1]} if len(page) < len(found) else {})

    def _as_indexed(self, table: Table, key: Key, item: Item | None, now: float) -> Item | None:
        changed_at, before = table.earlier.get(key, NEVER)
        late = now < changed_at + STALE_SECONDS and self._chance.random() < 0.5
        return before if late else item

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._alone("Put", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._alone("Update", request)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        return self._alone("Delete", request)

    def transact_write_items(
        self, *, TransactItems: Sequence[Mapping[str, Any]], ClientRequestToken: str = "", conflict: Sequence[int] = ()
    ) -> dict[str, Any]:
        """`conflict`: positions at which another transaction is in the way (the scheduler says so)."""
        actions = [next(iter(element.items())) for element in TransactItems]
        if self._seen(ClientRequestToken, repr(TransactItems)):
            return {}
        self._check_transaction(actions)
        outcomes = [
            "TransactionConflict" if position in conflict else self._outcome(kind, request)
            for position, (kind, request) in enumerate(actions)
        ]
        if any(isinstance(outcome, str | dict) for outcome in outcomes):
            reasons = [_reason(outcome) for outcome in outcomes]
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise ServiceError(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
                CancellationReasons=reasons,
            )
        for commit in outcomes:
            commit()
        if ClientRequestToken:
            self._tokens[ClientRequestToken] = (self._clock() + TOKEN_SECONDS, repr(TransactItems))
        return {}

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.check_batch(Statements)
        return {"Responses": [self.execute_one(statement) for statement in Statements]}

    def check_batch(self, statements: Sequence[Mapping[str, Any]]) -> None:
        if not 1 <= len(statements) <= MAX_BATCH_STATEMENTS:
            raise invalid(f"Member must have length between 1 and {MAX_BATCH_STATEMENTS}")
        targets = []
        for statement in statements:
            try:
                targets.append(self._target(statement))
            except (SyntaxFault, Invalid, ServiceError):
                continue  # reported for this statement alone
        if len(set(targets)) != len(targets):
            raise invalid("Provided list of item keys contains duplicates")

    def execute_one(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """One member of a batch: its success or its own error."""
        try:
            return self._execute(statement)
        except Refused as refused:
            error: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": str(refused)}
            if refused.item is not None and statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                error["Item"] = values.copied(refused.item)
            return {"Error": error}
        except (SyntaxFault, Invalid) as fault:
            return {"Error": {"Code": "ValidationError", "Message": str(fault)}}
        except ServiceError as fault:
            code = {"ValidationException": "ValidationError", "ResourceNotFoundException": "ResourceNotFound"}
            return {"Error": {"Code": code.get(fault.code, fault.code), "Message": fault.message}}

    # Time to live.

    def delete_expired(self, chance: random.Random) -> None:
        """What the background process might do now: late, up to two days, in any order."""
        now = self._clock()
        for name, table in self.tables.items():
            for key, item in list(table.items.items()):
                expiry = item.get(table.time_to_live or "", {}).get("N")
                if expiry is None or float(expiry) >= now:
                    continue
                if now - float(expiry) >= LATEST_DELETION_SECONDS or chance.random() < 0.5:
                    self._write(name, key, None)

    # How one write happens.

    def _alone(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.pop("ReturnValues", "NONE")
        self._check_expressions(request)
        try:
            before, after, commit = self._evaluate(kind, request)
        except Refused as refused:
            fields = {}
            if refused.item is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                fields = {"Item": values.copied(refused.item)}
            raise ServiceError("ConditionalCheckFailedException", str(refused), **fields) from None
        except (Invalid, SyntaxFault) as fault:
            raise invalid(str(fault)) from None
        commit()
        return _returned(wanted, before, after)

    def _outcome(self, kind: str, request: Mapping[str, Any]) -> Callable[[], None] | dict[str, Any]:
        """What an action of a transaction would do, or why it cannot."""
        try:
            _, __, commit = self._evaluate(kind, request)
        except Refused as refused:
            reason: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": str(refused)}
            if refused.item is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                reason["Item"] = values.copied(refused.item)
            return reason
        except Invalid as fault:
            return {"Code": "ValidationError", "Message": str(fault)}
        return commit

    def _evaluate(self, kind: str, request: Mapping[str, Any]) -> tuple[Item | None, Item | None, Callable[[], None]]:
        name = request["TableName"]
        table = self._table(name)
        key = table.key_of(request["Item"] if kind == "Put" else request["Key"], exact=kind != "Put")
        bound = Bindings(request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))
        before = table.items.get(key)
        holds = "ConditionExpression" not in request or parse_condition(request["ConditionExpression"])(
            before or {}, bound
        )
        if not holds:
            raise Refused(before)
        after = self._after(kind, request, table, before, bound)
        if after is not None and values.bytes_of_item(after) > MAX_ITEM_BYTES:
            raise Invalid("Item size has exceeded the maximum allowed size")
        commit = (lambda: None) if kind == "ConditionCheck" else (lambda: self._write(name, key, after))
        return before, after, commit

    def _after(
        self, kind: str, request: Mapping[str, Any], table: Table, before: Item | None, bound: Bindings
    ) -> Item | None:
        if kind == "Put":
            return {name: values.normalized(value) for name, value in request["Item"].items()}
        if kind == "Delete":
            return None
        if kind == "ConditionCheck":
            if "ConditionExpression" not in request:
                raise invalid("ConditionExpression is required")
            return before
        start = before if before is not None else dict(request["Key"])
        after = parse_update(request["UpdateExpression"])(start, bound) if "UpdateExpression" in request else start
        if any(after.get(name) != request["Key"][name] for name in table.key):
            raise invalid("Cannot update attribute: it is part of the key")
        return after

    def _execute(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        parsed = partiql.parse(statement["Statement"])
        table_name, key = self._target(statement)
        bound = partiql.bindings(statement.get("Parameters", []))
        before = self.tables[table_name].items.get(key)
        if parsed.kind == "INSERT":
            if before is not None:
                raise ServiceError("DuplicateItem", "Duplicate primary key exists in table")
            item = {name: operand({}, bound) for name, operand in parsed.fields.items()}
            self._write_checked(table_name, key, {name: values.normalized(v) for name, v in item.items() if v})
            return {"TableName": table_name}
        if before is None and parsed.kind == "DELETE":
            return {"TableName": table_name}  # documented: success, nothing deleted
        assert parsed.condition is not None
        if before is None or not parsed.condition(before, bound):
            raise Refused(before)
        after = parsed.updated(before, bound) if parsed.kind == "UPDATE" else None
        if after is not None and any(after.get(name) != before[name] for name in self.tables[table_name].key):
            raise Invalid("Cannot update attribute: it is part of the key")
        self._write_checked(table_name, key, after)
        answer: dict[str, Any] = {"TableName": table_name}
        if parsed.returning:
            shown = before if parsed.returning.endswith("OLD") else after
            answer["Item"] = values.copied(shown or {})
        return answer

    def _target(self, statement: Mapping[str, Any]) -> tuple[str, Key]:
        """Table and key of one statement."""
        parsed = partiql.parse(statement["Statement"])
        table = self._table(parsed.table)
        parameters = statement.get("Parameters", [])
        if len(parameters) != parsed.parameters:
            raise Invalid("Number of parameters in request and statement don't match")
        bound = partiql.bindings(parameters)
        operands = parsed.fields if parsed.kind == "INSERT" else parsed.equalities
        missing = [name for name in table.key if name not in operands]
        if missing:
            raise Invalid("Where clause does not contain a mandatory equality on all key attributes")
        return parsed.table, table.key_of({name: operands[name]({}, bound) or {} for name in table.key}, exact=True)

    def _write_checked(self, table: str, key: Key, item: Item | None) -> None:
        if item is not None and values.bytes_of_item(item) > MAX_ITEM_BYTES:
            raise Invalid("Item size has exceeded the maximum allowed size")
        self._write(table, key, item)

    def _write(self, table_name: str, key: Key, item: Item | None) -> None:
        table = self.tables[table_name]
        before = table.items.pop(key, None)
        table.earlier[key] = (self._clock(), before)
        if item is not None:
            table.items[key] = item
        for told in self.changes:
            told(table_name, before, item)

    def _table(self, name: str) -> Table:
        if name not in self.tables:
            raise ServiceError("ResourceNotFoundException", "Requested resource not found")
        return self.tables[name]

    def _seen(self, token: str, request: str) -> bool:
        until, known = self._tokens.get(token, (0.0, ""))
        if not token or until <= self._clock():
            return False
        if known != request:
            raise ServiceError("IdempotentParameterMismatchException", "The token belongs to another request")
        return True

    def _check_transaction(self, actions: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        if not 1 <= len(actions) <= MAX_TRANSACTION_ACTIONS:
            raise invalid(f"Member must have length between 1 and {MAX_TRANSACTION_ACTIONS}")
        targets = []
        for kind, request in actions:
            table = self._table(request["TableName"])
            source = request["Item"] if kind == "Put" else request["Key"]
            targets.append((request["TableName"], table.key_of(source, exact=kind != "Put")))
            self._check_expressions(request)
        if len(set(targets)) != len(targets):
            raise invalid("Transaction request cannot include multiple operations on one item")
        size = sum(
            values.bytes_of_item(request.get(part, {}))
            for _, request in actions
            for part in ("Item", "Key", "ExpressionAttributeValues")
        )
        if size > MAX_TRANSACTION_BYTES:
            raise invalid("Transaction request exceeds 4 MB")

    def _check_expressions(self, request: Mapping[str, Any]) -> None:
        """What is malformed is refused before any condition is looked at."""
        expressions = [request[name] for name in ("ConditionExpression", "UpdateExpression") if name in request]
        mentioned = {token for text in expressions for token in re.findall(r"[#:]\w+", text)}
        defined = {*request.get("ExpressionAttributeNames", {}), *request.get("ExpressionAttributeValues", {})}
        if mentioned != defined:
            raise invalid(f"Placeholders undefined or unused in expressions: {mentioned ^ defined}")
        try:
            if "ConditionExpression" in request:
                parse_condition(request["ConditionExpression"])
            if "UpdateExpression" in request:
                parse_update(request["UpdateExpression"])
        except SyntaxFault as fault:
            raise invalid(str(fault)) from None


def _part(key: Key, parts: int) -> int:
    """By a hash of the partition key that is the same in every process."""
    return zlib.crc32(repr(key[0]).encode()) % parts


def _reason(outcome: Any) -> dict[str, Any]:
    if isinstance(outcome, dict):
        return outcome
    if isinstance(outcome, str):
        return {"Code": outcome, "Message": "Transaction is ongoing for the item"}
    return {"Code": "None"}


def _returned(wanted: str, before: Item | None, after: Item | None) -> dict[str, Any]:
    if wanted == "NONE":
        return {}
    source = before if wanted.endswith("OLD") else after
    if source is None:
        return {}
    if wanted.startswith("UPDATED"):
        old, new = before or {}, after or {}
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        return {"Attributes": values.copied({name: source[name] for name in changed if name in source})}
    return {"Attributes": values.copied(source)}
