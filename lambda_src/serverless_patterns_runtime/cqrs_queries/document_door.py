"""The route that answers a document as it was last built."""

import os
from datetime import UTC, datetime
from functools import cache

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_queries.contract import BUILT_AT_HEADER
from serverless_patterns_runtime.cqrs_table.parameters import refuse_parameters
from serverless_patterns_runtime.cqrs_views.contents import Content, Contents
from serverless_patterns_runtime.cqrs_views.document_contract import DocumentEnv
from serverless_patterns_runtime.errors import NotNow
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response

__all__ = ["answer_document", "answered"]

_FIRST_BUILD_SECONDS = 10


def answer_document(request: Request) -> Response:
    """200, the JSON with an `ETag` of its content; 304 for the one that `If-None-Match` names.

    503 with `Retry-After` before the first build is done.
    """
    return answered(request, _contents())


def answered(request: Request, contents: Contents) -> Response:
    """The same over any tables. Raises NotNow, PermanentError for a query string, and what the clients raise."""
    refuse_parameters(request)
    content = contents.read()
    if content is None:
        raise _not_built()
    known = {
        part.strip().removeprefix("W/") for text in request.headers.all("If-None-Match") for part in text.split(",")
    }
    if _tag(content) in known:
        return Response(304, headers=_headers(content))
    found = (content, content.text())
    if found[1] is None:
        again = contents.text()
        if again is None:
            raise _not_built()
        found = again
    headers = {**_headers(found[0]), "Content-Type": "application/json"}
    return Response(200, found[1], headers=headers)


def _headers(content: Content) -> dict[str, str]:
    built_at = datetime.fromtimestamp(int(content.built_at), UTC).isoformat().replace("+00:00", "Z")
    return {"ETag": _tag(content), BUILT_AT_HEADER: built_at, "Cache-Control": "private, no-cache"}


def _tag(content: Content) -> str:
    return f'"{content.digest[:32]}"'


def _not_built() -> NotNow:
    return NotNow("the document is being built for the first time", _FIRST_BUILD_SECONDS)


@cache
def _contents() -> Contents:
    env = environment.read(DocumentEnv)
    s3 = client("s3") if env.DOCUMENT_BUCKET_NAME else None
    return Contents(
        client("dynamodb"), lambda: s3, env.DOCUMENT_CONTROL_TABLE_NAME, env.DOCUMENT_BUCKET_NAME, env.DOCUMENT
    )


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _contents()  # at init, which Lambda runs with more CPU
