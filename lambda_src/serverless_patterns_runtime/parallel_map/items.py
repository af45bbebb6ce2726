"""The items of an execution: read from its input, or from the object in S3 that the input names; and their keys."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import MalformedPayload, PermanentError
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.payload import digest

__all__ = ["Item", "ItemClaim", "Items", "Unreadable"]


_POSITION = re.compile("#[0-9]+")
"""What stands for the key of an item that has none. It is nobody's key, so it names one item."""


class Unreadable(PermanentError):
    """There is no list of items where there should be one."""


class ItemClaim(Claim):
    """Its key begins with the namespace: others are given it, and two maps may call one provider."""

    @property
    def id(self) -> str:
        return self.key


@dataclass(frozen=True)
class Item:
    execution: str
    index: int
    value: Any
    key: str | None
    """None: it has none, or is no text, and can never be processed."""

    @property
    def shown_key(self) -> str:
        return f"#{self.index}" if self.key is None else self.key

    def claim(self, namespace: str) -> ItemClaim:
        """Raises MalformedPayload for an item without a key."""
        if self.key is None:
            raise MalformedPayload(
                f"the item has no key, which is text of 1 to {contract.KEY_CHARACTERS} characters, but not `#` and a"
                " number, or a number; or something in it is no text"
            )
        return ItemClaim(namespace, contract.item_key(namespace, self.execution, self.key), payload_of(self.value))


class Items(NamedTuple):
    """How items are found. `read`: an object's bytes, by bucket and key."""

    path: str
    key_path: str
    format: str
    bucket: str
    most: int
    get_object: Callable[..., Mapping[str, Any]] | None = None

    @classmethod
    def of(cls, env: contract.ItemsEnv, get_object: Callable[..., Mapping[str, Any]] | None) -> "Items":
        return cls(env.MAP_ITEMS, env.MAP_ITEM_KEY, env.MAP_FORMAT, env.MAP_BUCKET, int(env.MAX_ITEMS), get_object)

    def item(self, execution: str, index: int, value: Any) -> Item:
        return Item(execution, index, value, self._key(index, value) if _is_text(value) else None)

    def all(self, execution: str, given: Any) -> Sequence[Item]:
        """Of an execution with this input. Raises Unreadable; ClientError and BotoCoreError, to be asked again."""
        return [self.item(execution, index, value) for index, value in enumerate(self._values(given))]

    def refused(self, number: int) -> str | None:
        """Why none of so many is begun."""
        if self.format != "input" or number <= self.most:
            return None
        return f"the map takes at most {self.most:,} items, and there are more: it did not begin"

    def beyond(self, index: int) -> str | None:
        """Why this one is not, of an object."""
        return None if index < self.most else f"the map takes at most {self.most:,} items, and this is one beyond them"

    def _values(self, given: Any) -> list[Any]:
        found = at(self.path, given)
        if self.format != "input":
            return self._in_s3(found)
        if not isinstance(found, list):
            raise Unreadable(f"there is no list at {self.path} of the input")
        return cast("list[Any]", found)

    def _in_s3(self, key: Any) -> list[Any]:
        if not isinstance(key, str) or not key:
            raise Unreadable(f"there is no key of an object at {self.path} of the input")
        assert self.get_object is not None
        try:
            content = self.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) in ("NoSuchKey", "404", "AccessDenied", "403"):
                missing = "is not in the bucket, or its key does not begin with the prefix of S3Items"
                raise Unreadable(f"{self._object}, {missing}") from None
            raise
        try:
            text = content.decode("utf-8-sig")
            if self.format == "jsonl":
                return [json.loads(line) for line in text.split("\n") if line.strip()]
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise Unreadable(f"{self._object}, is no {self.format}") from None
        if not isinstance(values, list):
            raise Unreadable(f"{self._object}, holds no list")
        return cast("list[Any]", values)

    @property
    def _object(self) -> str:
        return f"the object, whose key is at {self.path} of the input"

    def _key(self, index: int, value: Any) -> str | None:
        if not self.key_path:
            return str(index)
        found = at(self.key_path, value)
        if isinstance(found, bool) or not isinstance(found, str | int):
            return None
        text = str(found)
        return text if 0 < len(text) <= contract.KEY_CHARACTERS and not _POSITION.fullmatch(text) else None


def _is_text(value: Any) -> bool:
    """JSON may hold half of a surrogate pair, of which no digest is made."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def at(path: str, value: Any) -> Any:
    """What is at `$.a.b`; None where there is nothing."""
    for name in path.split(".")[1:]:
        if not isinstance(value, dict) or name not in value:
            return None
        value = cast("dict[str, Any]", value)[name]
    return value


def payload_of(value: Any) -> str:
    """Numbers as doubles: nobody promises that a 100 stays a 100, and no 1e2, on its way through the states."""
    return digest(json.loads(json.dumps(value), parse_int=float))
