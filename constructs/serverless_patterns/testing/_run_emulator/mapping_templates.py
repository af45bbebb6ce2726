"""A mapping template of API Gateway, rendered as AWS renders it: what `$input`, `$util` and `$context` are.

The language is Velocity's and belongs to `airspeed`; what is true in it is set right here (Velocity 1: all but null
and false). What AWS has and this has not is an error, never an empty text.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import airspeed.operators  # pyright: ignore[reportMissingTypeStubs]

__all__ = ["HOOKS", "Request", "UnreadableBody", "render"]

HOOKS = {
    "airspeed.operators": ("__additional_methods__", "boolean_value", "Condition", "UnaryOperatorValue", "Template")
}
VELOCITY: Any = airspeed.operators
STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\[(\d+)\]")


class UnreadableBody(ValueError):
    """A template asks for a field of a body that is not JSON. AWS answers 400."""


@dataclass(frozen=True)
class Request:
    """What `$input.params` reads, single values by name."""

    path: Mapping[str, str]
    querystring: Mapping[str, str]
    header: Mapping[str, str]


def render(template: str, body: str, request: Request, context: Mapping[str, Any]) -> str:
    """The text that a template gives.

    Args:
        template: Of a request or a response.
        body: Of the request, or what the integration answered.
        request: The client's request, in both.
        context: `$context`; `#set($context.requestOverride...)` changes it.

    Raises:
        UnreadableBody: See there.
        airspeed.TemplateError: The template is wrong, or uses what this has not.
    """
    names = {"input": Input(body, request), "util": Util(), "context": context}
    try:
        return str(VELOCITY.Template(template).merge(names))
    except VELOCITY.TemplateExecutionError as error:
        cause: object = error.__cause__
        if isinstance(cause, UnreadableBody):
            raise cause from None
        raise


class Input:
    """`$input`."""

    def __init__(self, body: str, request: Request) -> None:
        self.body = body or "{}"  # as AWS does
        self._text = body
        self._request = request

    def path(self, path: str) -> Any:
        """The value at a path of the body; null when there is none."""
        return _at(self._document(), path)

    def json(self, path: str) -> str:
        """The value at a path, as JSON; an empty JSON string when there is none."""
        found = self.path(path)
        return json.dumps("" if found is None else found, separators=(",", ":"), ensure_ascii=False)

    def params(self, name: str | None = None) -> Any:
        """One parameter, from the path, else the query string, else a header in any case; without a name: all."""
        request = self._request
        header = Headers(request.header)
        if name is None:
            return {"path": request.path, "querystring": request.querystring, "header": header}
        return request.path.get(name) or request.querystring.get(name) or header.get(name, "")

    def _document(self) -> Any:
        try:
            return json.loads(self._text) if self._text else None
        except ValueError as error:
            raise UnreadableBody(f"Could not parse request body into json: {error}") from error


class Headers(dict[str, str]):
    """The headers; whoever asks for one need not know how the client wrote it."""

    def get(self, name: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The value, whatever the case of the name."""
        return next((value for key, value in self.items() if key.lower() == name.lower()), default)


class Util:
    """`$util`."""

    def escapeJavaScript(self, text: str) -> str:
        """As Java's commons-lang: quotes of both kinds, slashes and everything beyond ASCII."""
        return json.dumps(text)[1:-1].replace("/", "\\/").replace("'", "\\'")

    def urlEncode(self, text: str) -> str:
        """As a form, which is how Java's URLEncoder does it."""
        return quote_plus(text, safe="*").replace("~", "%7E")

    def urlDecode(self, text: str) -> str:
        """The reverse."""
        return unquote_plus(text)

    def base64Encode(self, text: str) -> str:
        """Of the text's UTF-8."""
        return base64.b64encode(text.encode()).decode()

    def base64Decode(self, text: str) -> str:
        """The reverse."""
        return base64.b64decode(text).decode()

    def parseJson(self, text: str) -> Any:
        """The value."""
        return json.loads(text)


def _at(document: Any, path: str) -> Any:
    steps, rest = path.removeprefix("$"), 0
    while rest < len(steps):
        step = STEP.match(steps, rest)
        if not path.startswith("$") or step is None:
            raise NotImplementedError(f"JSONPath {path!r}: only names and indexes are known here")
        name, index = step[1] or step[2], step[3]
        try:
            document = document[name] if name else document[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
        rest = step.end()
    return document


def _truth(value: Any) -> bool:
    return value is not None and value is not False


def _correct_truth() -> None:
    # As shipped, `#if($missing)` is true, `#if("")` false and `#if(!$missing)` false: all three the other way on AWS.
    def condition(self: Any, *names: Any) -> bool:
        return _truth(self.expression.calculate(*names))

    def negation(self: Any, *names: Any) -> bool:
        return not _truth(self.value.calculate(*names))

    VELOCITY.__additional_methods__[Headers] = VELOCITY.__additional_methods__[dict]
    VELOCITY.boolean_value = _truth
    VELOCITY.Condition.calculate, VELOCITY.UnaryOperatorValue.calculate = condition, negation


_correct_truth()
