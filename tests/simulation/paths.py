"""Document paths: where in an item a value is, and putting or removing one there."""

from collections.abc import Sequence

from .attribute_values import Item, Value

Path = tuple[str | int, ...]


class NoSuchPlace(Exception):
    """A write goes through something that is not there: DynamoDB calls the document path invalid."""


def value_at(item: Item, path: Path) -> Value | None:
    current: Value | None = item.get(str(path[0]))
    for part in path[1:]:
        if current is None:
            return None
        current = _child(current, part)
    return current


def _child(value: Value, part: str | int) -> Value | None:
    if isinstance(part, int):
        members = value.get("L")
        return members[part] if members is not None and part < len(members) else None
    return value.get("M", {}).get(part)


def with_value(item: Item, path: Path, value: Value) -> Item:
    """The item with `value` at `path`; parents must exist."""
    if len(path) == 1:
        return {**item, str(path[0]): value}
    parent = item.get(str(path[0]))
    if parent is None:
        raise NoSuchPlace
    return {**item, str(path[0]): _with_nested(parent, path[1:], value)}


def _with_nested(parent: Value, path: Path, value: Value) -> Value:
    part = path[0]
    if len(path) > 1:
        child = _child(parent, part)
        if child is None:
            raise NoSuchPlace
        value = _with_nested(child, path[1:], value)
    if isinstance(part, int):
        if "L" not in parent:
            raise NoSuchPlace
        members = list(parent["L"])
        members[part : part + 1] = [value]  # beyond the end: appended
        return {"L": members}
    if "M" not in parent:
        raise NoSuchPlace
    return {"M": {**parent["M"], part: value}}


def without_value(item: Item, path: Path) -> Item:
    """The item without what is at `path`; a missing leaf is no error, a missing parent is."""
    if len(path) == 1:
        return {name: value for name, value in item.items() if name != path[0]}
    parent_path, leaf = path[:-1], path[-1]
    parent = value_at(item, parent_path)
    if parent is None or ("L" if isinstance(leaf, int) else "M") not in parent:
        raise NoSuchPlace
    if isinstance(leaf, int):
        changed = {"L": [member for at, member in enumerate(parent["L"]) if at != leaf]}
    else:
        changed = {"M": {name: value for name, value in parent["M"].items() if name != leaf}}
    return with_value(item, parent_path, changed)


def overlap(paths: Sequence[Path]) -> bool:
    """Whether one path equals another or leads into it: DynamoDB refuses such updates."""
    return any(
        one[: len(other)] == other or other[: len(one)] == one
        for at, one in enumerate(paths)
        for other in paths[at + 1 :]
    )
