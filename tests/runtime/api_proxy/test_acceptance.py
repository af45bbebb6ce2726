"""Bytes reach a client as bytes, or it is told why not: never their base64."""

from collections.abc import Sequence
from typing import Any

import pytest

from serverless_patterns_runtime import Response

from .api import Answered, Api

PNG = b"\x89PNG"

TYPES = ("image/png", "application/octet-stream")


def ask(accept: str | Sequence[str] | None, result: Any, types: Sequence[str] = TYPES) -> tuple[Answered, Api]:
    api = Api(lambda _: result, binary_media_types=types)
    return api.post(headers={} if accept is None else {"Accept": accept}), api


def picture(said: str = "image/png") -> Response:
    return Response(200, PNG, headers={"Content-Type": said})


@pytest.mark.parametrize(
    ("accept", "types"),
    [
        ("image/png", TYPES),
        ("IMAGE/PNG", TYPES),
        ("image/png;q=0.9, */*", TYPES),
        ("application/octet-stream", TYPES),  # the gateway does not look at the answer's own type
        (["image/png", "text/html"], TYPES),
        ("image/webp", ("image/*",)),
        ("image/*", ("image/*",)),
    ],
)
def test_bytes_go_to_who_names_a_binary_type_first(accept: str | Sequence[str], types: Sequence[str]):
    answered, _ = ask(accept, picture(), types)
    assert (answered.status, answered.body, answered.result["isBase64Encoded"]) == (200, PNG, True)


@pytest.mark.parametrize("accept", [None, "", "*/*", "text/html, image/png"])
def test_where_every_type_is_binary_bytes_go_to_everybody(accept: Any):
    answered, _ = ask(accept, picture(), ("*/*",))
    assert (answered.status, answered.body, answered.result["isBase64Encoded"]) == (200, PNG, True)


BROWSER = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept", [None, "", "*/*", "image/*", "text/html, image/png", BROWSER, ["text/html", "image/png"]]
)
def test_bytes_that_the_gateway_would_send_as_base64_are_a_406_that_says_what_to_send(accept: Any):
    answered, api = ask(accept, picture())
    assert answered.status == 406
    assert answered.problem["detail"] == "the answer is bytes: send Accept with image/png in the first place"
    (line,) = api.log
    assert (line["status"], line["error_type"]) == (406, "NotAcceptable")


def test_a_406_names_every_binary_type_where_the_answer_has_another():
    answered, _ = ask("*/*", picture("image/gif"))
    assert answered.problem["detail"].endswith(
        "send Accept with image/png or application/octet-stream in the first place"
    )


def test_bytes_of_an_api_without_binary_types_are_a_500_whose_log_says_what_to_do():
    answered, api = ask("image/png", picture(), ())
    assert (answered.status, "detail" in answered.problem) == (500, False)
    assert "binary_media_types" in api.log[0]["reason"]


@pytest.mark.parametrize(
    "result", [b"", {"a": 1}, None, Response(200, b"text", headers={"Content-Type": "text/plain"})]
)
def test_what_is_no_base64_goes_to_everybody(result: Any):
    answered, _ = ask("*/*", result)
    assert answered.status in (200, 204)
