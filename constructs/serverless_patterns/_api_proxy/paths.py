"""The text of a route: `METHOD /path/{parameter}`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .._checks import Problems, did_you_mean

EVERY_METHOD = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
METHODS = ("ANY", *EVERY_METHOD)
_LITERAL = re.compile(r"[A-Za-z0-9._:-]+")  # what API Gateway takes; $ is left out, a mapping template would read it
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\+?)\}")
_MEANT = re.compile(r"(?::|<(?:[a-z]+:)?|\{+|\$\{)([A-Za-z_][A-Za-z0-9_]*)[}>]*")  # as others write parameters
_EXAMPLE = "write for example 'GET /orders/{order_id}'"
_RESERVED = ("ping", "sping")  # API Gateway answers these paths itself


class Path(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    parts: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def greedy(self) -> bool:
        """Whether it stands for everything below, too."""
        return self.path.endswith("+}")


def parsed(problems: Problems, text: Any) -> Path | None:
    """What the text says; `None` when something is wrong with it, which is a problem."""
    label = f"routes[{text!r}]"
    method, space, path = text.partition(" ") if isinstance(text, str) else ("", "", "")
    if not space or not path.startswith("/") or path != path.strip():
        problems.add(label, "be 'METHOD /path'", repr(text), _EXAMPLE)
        return None
    if method not in METHODS:
        got = f"{method!r}{did_you_mean(method.upper(), METHODS)}"
        problems.add(label, f"begin with one of {', '.join(METHODS)}", got, _EXAMPLE)
        return None
    parts = tuple(path[1:].split("/")) if path != "/" else ()
    wrong = _wrong(parts)
    if wrong is not None:
        problems.add(label, *wrong)
        return None
    found = [_PARAMETER.fullmatch(part) for part in parts]
    return Path(method, path, parts, tuple(match[1] for match in found if match))


def _wrong(parts: tuple[str, ...]) -> tuple[str, str, str] | None:
    names: list[str] = []
    for position, part in enumerate(parts):
        parameter = _PARAMETER.fullmatch(part)
        if not part:
            fix = "API Gateway takes /orders and /orders/ for two paths: leave the slash out"
            return "have no empty part and no slash at the end", repr("/" + "/".join(parts)), fix
        meant = _MEANT.fullmatch(part)
        if parameter is None and meant:
            return "have its parameters in braces", repr(part), f"write {{{meant[1]}}}"
        if parameter is None and not _LITERAL.fullmatch(part):
            return "be made of letters, digits, . _ : - and {parameters}", repr(part), _EXAMPLE
        if parameter and parameter[2] and position + 1 < len(parts):
            return "have its {name+} at the end", repr(part), "it stands for everything below"
        if parameter and parameter[1] in names:
            return "name each parameter once", repr(parameter[1]), "rename one of them"
        names += [parameter[1]] if parameter else []
    if parts and parts[0] in _RESERVED and len(parts) == 1:
        return "have a path that API Gateway leaves to you", repr("/" + parts[0]), "use for example /health"
    return None
