"""Whether bytes arrive as bytes: the gateway turns base64 into them for some requests only, and says nothing to others.

It goes by the first type of the request's first `Accept`, and not by the type of the answer.
"""

from collections.abc import Sequence

from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.api_proxy.media_type import is_among
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["NotAcceptable", "check_acceptable"]


class NotAcceptable(PermanentError):
    """The client would be sent the base64 of bytes, with a status and a type that say otherwise."""

    def __init__(self, types: Sequence[str]) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(f"the answer is bytes: send Accept with {' or '.join(types)} in the first place", status=406)


def check_acceptable(answer: Answer, envelope: Envelope, binary_media_types: Sequence[str]) -> None:
    """What was done is done: under its key, the same request may fetch the answer by another `Accept`.

    Raises NotAcceptable; UnusableResult when no `Accept` at all could fetch it.
    """
    if not answer.base64 or not answer.body:
        return
    if "*/*" in binary_media_types:  # then the gateway looks at no `Accept`
        return
    if not binary_media_types:
        raise UnusableResult("the function answers bytes: name their type in binary_media_types of the ApiProxy")
    accepted = envelope.headers.all("Accept")
    if accepted and is_among(accepted[0].partition(",")[0], binary_media_types):
        return
    own = next((values[-1] for name, values in answer.headers.items() if name.lower() == "content-type"), "")
    raise NotAcceptable([own] if is_among(own, binary_media_types) else binary_media_types)
