"""Signatures are those of the SDK, byte for byte."""

import datetime
from typing import Any
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.strangler_gateway.signing import Credentials, signed

WORD = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789", min_size=1, max_size=20)
SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
PATH = st.sampled_from(
    ["/", "/2015-03-31/functions/profile/invocations", "/2015-03-31/functions/arn%3Aaws%3Alambda%3A1%3Af/invocations"]
)
MOMENT = st.datetimes(min_value=datetime.datetime(2020, 1, 1), max_value=datetime.datetime(2060, 1, 1))


@given(PATH, st.binary(max_size=100), st.dictionaries(st.sampled_from(["x-a", "content-type"]), VALUE), WORD, SECRET)
def test_a_signature_is_the_sdk_s(path: str, body: bytes, headers: dict[str, str], token: str, secret: str):
    check(path, body, headers, Credentials("AKID", secret, token), datetime.datetime(2026, 11, 21, 9, 39, 55))


@given(MOMENT, st.sampled_from(["dynamodb", "lambda"]), st.sampled_from(["eu-west-1", "cn-north-1", "us-gov-west-1"]))
def test_whenever_wherever_and_without_a_token(moment: datetime.datetime, service: str, region: str):
    check("/", b"{}", {}, Credentials("AKID", "secret", ""), moment, service, region)


def check(
    path: str,
    body: bytes,
    headers: dict[str, str],
    credentials: Credentials,
    moment: datetime.datetime,
    service: str = "dynamodb",
    region: str = "eu-west-1",
) -> None:
    host = f"{service}.{region}.amazonaws.com"
    request = AWSRequest("POST", f"https://{host}{path}", dict(headers), body)
    theirs = SdkCredentials(credentials.key_id, credentials.secret, credentials.token or None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment, create=True):
        SigV4Auth(theirs, service, region).add_auth(request)
    now = moment.replace(tzinfo=datetime.UTC).timestamp()
    ours = signed(path, {"host": host, **headers}, body, credentials, service, region, now)
    expected: dict[str, Any] = {name.lower(): value for name, value in request.headers.items()}
    assert ours.pop("host") == host
    assert ours == expected
