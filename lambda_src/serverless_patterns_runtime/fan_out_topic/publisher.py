"""The route that publishes: what its callers send becomes one message of the topic.

The message's key is what the topic's `idempotency_key` leads to in the body. On a topic without one it is the request's
`Idempotency-Key`, made the caller's own: two callers with one key have two messages. A request that comes again is
published again, with the same key, and subscribers take both for one.
"""

import os

from serverless_patterns_runtime.api_proxy.contract import IDEMPOTENCY_KEY_HEADER
from serverless_patterns_runtime.errors import PermanentError, PublishFailed
from serverless_patterns_runtime.fan_out_topic.contract import PUBLISHER_TOPIC
from serverless_patterns_runtime.fan_out_topic.message import Message
from serverless_patterns_runtime.fan_out_topic.outgoing import fifo_id, prepared
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response

__all__ = ["publish_request"]


def publish_request(request: Request, invocation: Invocation) -> Response:
    """202 with the message's key and SNS's id of it. On a FIFO topic each key is a group of its own.

    Raises PermanentError with the status that the caller is to see: 413 for more than the topic takes, 503 when SNS
    takes nothing now.
    """
    topic = invocation.resources.topic(PUBLISHER_TOPIC)
    settings = topic.settings
    if request.body is None or isinstance(request.body, bytes):
        raise PermanentError("the body is JSON, and not empty", status=400)
    if not settings["key"] and IDEMPOTENCY_KEY_HEADER not in request.headers:
        # The topic's subscribers could not tell a retry from another event.
        raise PermanentError(
            f"this request needs an {IDEMPOTENCY_KEY_HEADER} header: a new one for each event, the same for a retry",
            status=400,
        )
    message = Message(request.body)
    if settings["fifo"]:
        (draft,) = prepared([message], {**settings, "fifo": False}, invocation)
        message = Message(request.body, group=fifo_id(draft.key))
    try:
        (published,) = topic.publish([message], invocation)
    except PublishFailed as failure:
        invocation.logger.error(str(failure))
        raise PermanentError("the event could not be published now: send it again", status=503) from failure
    return Response(202, {"key": published.key, "message_id": published.message_id})


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    from serverless_patterns_runtime.fan_out_topic import sns_topic as sns_topic  # at init, not in the first request
