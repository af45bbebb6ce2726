"""The values of a message that filters compare, by path."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from serverless_patterns_runtime.fan_out_topic.message import Message

__all__ = ["has_leaves", "leaves"]


def leaves(message: Message, scope: str, paths: Iterable[str]) -> dict[str, list[Any]]:
    """Of each path that the message has: its values. More than one where there are lists: any of them may match."""
    found: dict[str, list[Any]] = {}
    wanted = tuple(paths)
    for path, value in _walk(_root(message, scope), wanted):
        found.setdefault(path, []).append(value)
    return found


def has_leaves(message: Message, scope: str) -> bool:
    """Whether there is anything to compare at all: even what must not exist matches no message without."""
    return next(_walk(_root(message, scope), None), None) is not None


def _root(message: Message, scope: str) -> object:
    if scope == "body":
        body: object = message.body
        return cast("object", body) if isinstance(body, Mapping) else {}
    return {name: _escaped(value) for name, value in message.attributes.items() if not isinstance(value, bytes)}


def _escaped(value: object) -> object:
    """Of a String attribute SNS compares the escaped text: so the guide has one escape twice in a policy's JSON."""
    return value.replace("\\", "\\\\").replace('"', '\\"') if isinstance(value, str) else value


def _walk(root: object, wanted: tuple[str, ...] | None) -> Iterator[tuple[str, Any]]:
    """Path and value of each leaf; not by recursion, since a message may be as deep as it likes."""
    ahead: list[tuple[str, object]] = [("", root)]
    while ahead:
        path, value = ahead.pop()
        if isinstance(value, Mapping):
            for name, child in cast("Mapping[str, object]", value).items():
                below = f"{path}.{name}" if path else name
                if wanted is None or any(path == below or path.startswith(f"{below}.") for path in wanted):
                    ahead.append((below, child))
        elif isinstance(value, list | tuple):
            ahead.extend((path, element) for element in cast("list[object]", value))
        else:
            yield path, value
