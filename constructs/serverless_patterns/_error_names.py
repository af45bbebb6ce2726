"""Whether a business function can raise an error of a name, as far as its source tells: names hold typos.

A name that is written anywhere in the function's module, or in what that imports from the same folder, is no typo.
What is imported from elsewhere may raise anything: then only what nearly is one of the user's own classes is one.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from aws_cdk import Validations

from serverless_patterns_runtime import errors

from ._checks import did_you_mean
from ._source import imports, module_file, parsed

if TYPE_CHECKING:
    from pathlib import Path

    from constructs import Construct

    from .handler import Handler

_OURS = "serverless_patterns_runtime"
_QUIET = frozenset(
    [
        _OURS,
        "__future__",
        "abc",
        "collections",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "itertools",
        "logging",
        "math",
        "operator",
        "os",
        "pathlib",
        "random",
        "string",
        "time",
        "types",
        "typing",
        "uuid",
    ]
)
"""Modules with no class of errors of their own, but for ours, which are known."""

_KNOWN = frozenset(
    [name for name, it in vars(builtins).items() if isinstance(it, type) and issubclass(it, BaseException)]
    + errors.__all__
    + ["UnusableResult"]
)
_OF_AWS = frozenset(
    [
        "BotoCoreError",
        "ClientError",
        "ConnectionClosedError",
        "ConnectTimeoutError",
        "DecryptionFailure",
        "EndpointConnectionError",
        "HTTPClientError",
        "InternalServerError",
        "InternalServiceError",
        "InvalidKeyId",
        "NoCredentialsError",
        "ParamValidationError",
        "ParameterNotFound",
        "ParameterVersionNotFound",
        "ReadTimeoutError",
        "RequestLimitExceeded",
        "SSLError",
    ]
)
"""Which any function may raise that reads a table, a secret or a parameter; most of services end with `Exception`."""

_NEARLY = 0.85  # of 1: two letters of ten are another name


@dataclass
class _Mentioned:
    """In some modules."""

    names: set[str] = field(default_factory=set[str])
    """Whatever is written there: identifiers and texts."""
    classes: set[str] = field(default_factory=set[str])
    """Defined there."""
    others: bool = False
    """Whether something from elsewhere is imported, or something is made or imported by a name that is not written."""

    def read(self, handler: Handler) -> None:
        """Take in a function's module, and what that imports."""
        waiting, seen = [handler.function.partition(":")[0]], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            file = module_file(handler.code, name)
            said = None if file is None else _said(file, name, file.stat().st_mtime_ns)
            if said is None:
                self.others = True
                continue
            told, imported = said
            self.names |= told.names
            self.classes |= told.classes
            self.others = self.others or told.others
            for found in imported:
                top = found.split(".")[0]
                if module_file(handler.code, found) is not None:
                    waiting.append(found)
                elif module_file(handler.code, top) is None and not (handler.code / top).is_dir():
                    self.others = self.others or top not in _QUIET

    def take(self, module: ast.Module) -> None:
        """Take in what is written in one."""
        for node in ast.walk(module):
            match node:
                case ast.ClassDef(name=name):
                    self.classes.add(name)
                    self.names.add(name)
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                    self.names.add(name)
                case ast.alias(name=name, asname=other):
                    self.names.update(name.split("."), [other] if other else [])
                case ast.Call(func=ast.Name(id="type"), args=[ast.expr() as named, _, _]):  # a class
                    self.others = self.others or not isinstance(named, ast.Constant)
                case ast.Call(func=ast.Name(id="__import__" | "exec" | "eval")):
                    self.others = True
                case _:
                    pass


@lru_cache(maxsize=2048)
def _said(file: Path, name: str, changed: int) -> tuple[_Mentioned, tuple[str, ...]] | None:
    """By one module, and what it imports; None for what is no Python. A folder may hold a whole SDK.

    Args:
        file: The module's.
        name: Its own.
        changed: When it was written.
    """
    del changed
    module = parsed(file)
    if module is None:
        return None
    told = _Mentioned()
    told.take(module)
    return told, tuple(dict.fromkeys(filter(None, imports(module, name, package=file.name == "__init__.py"))))


def warn_of_errors(scope: Construct, argument: str, names: Iterable[str], handlers: Sequence[Handler], so: str) -> None:
    """Warn of names of errors that none of these functions can raise.

    Args:
        scope: Gets the warning.
        argument: Where the names are.
        names: Of classes.
        handlers: Checked.
        so: What follows from such a name.
    """
    modules = " and ".join(sorted({repr(handler.function) for handler in handlers}))
    for name in names if handlers else ():
        near = _meant(name, handlers)
        if near is not None:
            Validations.of(scope).add_warning(
                "serverless-patterns:unknown-error",
                f"{argument} names {name!r}{near}, which is nowhere in the source of {modules} and of what that "
                f"imports: {so}",
            )


def _meant(name: str, handlers: Sequence[Handler]) -> str | None:
    """The name that was meant, as ` (did you mean 'x'?)`, or nothing; None for one that one of these may raise."""
    mentioned = _Mentioned()
    for handler in handlers:
        mentioned.read(handler)
    if name in mentioned.names | _KNOWN | _OF_AWS:
        return None
    if not mentioned.others and not name.endswith("Exception"):
        return did_you_mean(name, mentioned.classes | _KNOWN)
    near = get_close_matches(name, sorted(mentioned.classes), n=1, cutoff=_NEARLY)
    return f" (did you mean {near[0]!r}?)" if near else None
