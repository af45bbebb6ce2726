"""Errors that the gateway answers by itself: problem details (RFC 9457), as the functions write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

from aws_cdk import aws_apigateway as apigateway

from serverless_patterns_runtime.api_proxy.contract import CHALLENGE_HEADER, CORRELATION_ID_HEADER

if TYPE_CHECKING:
    from constructs import Construct

_MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 1  # of a throttle: its bucket fills up all the time
_QUOTA_SECONDS = 3600  # of a quota, which fills up by the day or later: nobody can say when
# What is not listed is answered as one of the two defaults, with a status of its own. What the gateway says of a 4xx is
# for its caller: which header is missing, that a signature expired.
_Response = tuple[str, Literal["said", "unsaid"], int | None]
_UNAUTHORIZED: Mapping[str, _Response] = {"Unauthorized": ("UNAUTHORIZED", "said", None)}
_RESPONSES: Mapping[str, _Response] = {
    "Default4xx": ("DEFAULT_4XX", "said", None),
    "Default5xx": ("DEFAULT_5XX", "unsaid", None),
    "QuotaExceeded": ("QUOTA_EXCEEDED", "said", _QUOTA_SECONDS),
    "Throttled": ("THROTTLED", "said", _RETRY_SECONDS),
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
    for id, (type, words, retry_after) in {**_RESPONSES, **(_UNAUTHORIZED if challenges else {})}.items():
        headers = {
            "Content-Type": f"'{_MEDIA_TYPE}'",
            CORRELATION_ID_HEADER: "context.requestId",
            **cross_origin_headers,
        }
        if retry_after is not None:
            headers["Retry-After"] = f"'{retry_after}'"
        if id in _UNAUTHORIZED:
            headers[CHALLENGE_HEADER] = f"'{challenges}'"
        apigateway.GatewayResponse(
            scope,
            id,
            rest_api=cast(apigateway.IRestApi, rest_api),
            type=apigateway.ResponseType.of(type),
            response_headers=headers,
            templates={"application/json": _template(said=words == "said")},  # the only type that the gateway looks at
        )


def _template(*, said: bool) -> str:
    fields = ['"type":"about:blank"', '"title":"$context.error.responseType"']
    if said:
        fields.append('"detail":$context.error.messageString')  # comes with its quotes
    fields.append(f'"correlation_id":{json.dumps("$context.requestId")}')
    return "{" + ",".join(fields) + "}"
