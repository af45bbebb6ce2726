"""Clients for the place that the options name, and AWS's errors in plain words."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_sqs import SQSClient

__all__ = ["AWS_ERRORS", "Place", "explain"]

AWS_ERRORS = (BotoCoreError, ClientError)

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5})
# For functions that take their time; those of ours may be asked twice.
_PATIENT = _CONFIG.merge(Config(read_timeout=260, retries={"mode": "standard", "total_max_attempts": 2}))
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}


@dataclass(frozen=True)
class Place:
    region: str | None
    profile: str | None
    endpoint_url: str | None

    def sqs(self) -> SQSClient:
        return self._client("sqs")

    def cloudformation(self) -> CloudFormationClient:
        return self._client("cloudformation")

    def lambda_(self) -> Any:
        return self._client("lambda", _PATIENT)

    def sts(self) -> Any:
        return self._client("sts")

    def _client(self, service: str, config: Config = _CONFIG) -> Any:
        session = cast("Any", self._session())  # its types name every service of AWS
        return session.client(service, endpoint_url=self.endpoint_url, config=config)

    def _session(self) -> boto3.Session:
        session = boto3.Session(profile_name=self.profile, region_name=self.region)
        if not _is_this_machine(self.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")):
            return session
        # An embedded cloud takes any keys and region, and its users may have none.
        region = session.region_name or "us-east-1"
        if session.get_credentials() is None:
            return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)
        return boto3.Session(profile_name=self.profile, region_name=region)


def explain(error: Exception) -> str:
    """One line: what AWS says, or what to do where we know better."""
    if isinstance(error, NoCredentialsError):
        return "No AWS credentials. Say which with --profile, or set them in the environment."
    if isinstance(error, NoRegionError):
        return "No AWS region. Say which with --region, or set AWS_REGION."
    if not isinstance(error, ClientError):
        return str(error)
    details = error.response.get("Error", {})
    code, message = details.get("Code", ""), details.get("Message", "")
    if code in _EXPIRED:
        return "The AWS credentials have expired. Renew them and run the same command again."
    return f"{error.operation_name}: {code}: {message}"


def _is_this_machine(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
