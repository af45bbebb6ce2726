"""Credentials, region and endpoint for a cloud, whatever the user's own AWS settings are."""

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["clean_environment", "client", "local_environment"]

KEY = SECRET = "test"
"""What emulators take for the account's root."""

FOREIGN = ("AWS_", "MINISTACK_", "CDK_DEFAULT_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def clean_environment(*, keep_aws: bool = False) -> dict[str, str]:
    """Our environment without what would slow down or misdirect a child process.

    PYTHONDONTWRITEBYTECODE makes every synthesis compile all of aws_cdk anew.
    """
    dropped = () if keep_aws else FOREIGN
    return {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith(dropped)
    }


def local_environment(endpoint_url: str, account: str, region: str) -> Mapping[str, str]:
    """Our environment, with the AWS settings of an emulator in place of the user's."""
    kept = {name: value for name, value in clean_environment().items() if name not in PROXIES}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
    }


def client(service: str, endpoint_url: str | None, region: str) -> Any:
    """A boto3 client: for AWS with the user's settings, for an emulator with none of them."""
    import boto3
    import botocore.session
    from botocore.config import Config

    if endpoint_url is None:
        own: Any = boto3.Session()
        return own.client(service)
    unset = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    core = botocore.session.Session(session_vars=unset)
    session: Any = boto3.Session(KEY, SECRET, region_name=region, botocore_session=core)
    config = Config(proxies={}, inject_host_prefix=False, max_pool_connections=50)
    return session.client(service, endpoint_url=endpoint_url, config=config)
