"""Errors that the gateway answers by itself: problem details (RFC 9457), as the functions write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

from aws_cdk import aws_apigateway as apigateway

from serverless_patterns_runtime.api_proxy.contract import CHALLENGE_HEADER, CORRELATION_ID_HEADER

if TYPE_CHECKING:
    from constructs import Construct

_MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 1  # of a throttle: its bucket fills up all the time
_QUOTA_SECONDS = 3600  # of a quota, which fills up by the day or later: nobody can say when


class _Response(NamedTuple):
    type: str
    status: HTTPStatus | None
    """What AWS answers with it; `None`: several statuses share the type, and no variable of the gateway says which."""
    detail: str | None
    """JSON, or a variable that comes as JSON."""
    retry_after: int | None = None


# What the gateway says of a 4xx is for its caller: which header is missing, that a signature expired. It comes with its
# quotes. `validationErrorString`, which says what is wrong with a body, does not: it holds quotes of its own and text
# of the request, which nothing here could escape.
_SAID = "$context.error.messageString"
_BODY = json.dumps("the body is no JSON, or not what the schema of the route says")
# The gateway's own words are "Missing Authentication Token", for a path that is not there too.
_UNKNOWN = json.dumps("no such route, or the request is not signed")
_UNREACHED = json.dumps("what is behind this route cannot be reached")
_TOO_LATE = json.dumps("what is behind this route has not answered in time")
# What is not listed is answered as one of the two defaults, with a status of its own.
_UNAUTHORIZED: Mapping[str, _Response] = {"Unauthorized": _Response("UNAUTHORIZED", HTTPStatus.UNAUTHORIZED, _SAID)}
_RESPONSES: Mapping[str, _Response] = {
    "AccessDenied": _Response("ACCESS_DENIED", HTTPStatus.FORBIDDEN, _SAID),
    "BadRequestBody": _Response("BAD_REQUEST_BODY", HTTPStatus.BAD_REQUEST, _BODY),
    "BadRequestParameters": _Response("BAD_REQUEST_PARAMETERS", HTTPStatus.BAD_REQUEST, _SAID),
    "Default4xx": _Response("DEFAULT_4XX", None, _SAID),
    "Default5xx": _Response("DEFAULT_5XX", None, None),
    "IntegrationFailure": _Response("INTEGRATION_FAILURE", HTTPStatus.GATEWAY_TIMEOUT, _UNREACHED),
    "IntegrationTimeout": _Response("INTEGRATION_TIMEOUT", HTTPStatus.GATEWAY_TIMEOUT, _TOO_LATE),
    "QuotaExceeded": _Response("QUOTA_EXCEEDED", HTTPStatus.TOO_MANY_REQUESTS, _SAID, _QUOTA_SECONDS),
    "Throttled": _Response("THROTTLED", HTTPStatus.TOO_MANY_REQUESTS, _SAID, _RETRY_SECONDS),
    "Unknown": _Response("MISSING_AUTHENTICATION_TOKEN", HTTPStatus.FORBIDDEN, _UNKNOWN),
    "UnsupportedType": _Response("UNSUPPORTED_MEDIA_TYPE", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _SAID),
}


def define_gateway_errors(
    scope: Construct, rest_api: apigateway.RestApi, cross_origin_headers: Mapping[str, str], challenges: str | None
) -> None:
    """Define every answer.

    Args:
        scope: The API's construct.
        rest_api: Whose errors they are.
        cross_origin_headers: Quoted constants by header name.
        challenges: What a 401 says would be taken; `None`: the gateway never answers it.
    """
    for id, response in {**_RESPONSES, **(_UNAUTHORIZED if challenges else {})}.items():
        headers = {
            "Content-Type": f"'{_MEDIA_TYPE}'",
            CORRELATION_ID_HEADER: "context.requestId",
            **cross_origin_headers,
        }
        if response.retry_after is not None:
            headers["Retry-After"] = f"'{response.retry_after}'"
        if id in _UNAUTHORIZED:
            headers[CHALLENGE_HEADER] = f"'{challenges}'"
        apigateway.GatewayResponse(
            scope,
            id,
            rest_api=cast(apigateway.IRestApi, rest_api),
            type=apigateway.ResponseType.of(response.type),
            response_headers=headers,
            templates={"application/json": _template(response)},  # the only type that the gateway looks at
        )


def _template(response: _Response) -> str:
    title = "$context.error.responseType" if response.status is None else response.status.phrase
    fields = ['"type":"about:blank"', f'"title":"{title}"']
    if response.status is not None:
        fields.append(f'"status":{response.status.value}')
    if response.detail is not None:
        fields.append(f'"detail":{response.detail}')
    fields.append(f'"correlation_id":{json.dumps("$context.requestId")}')
    return "{" + ",".join(fields) + "}"
