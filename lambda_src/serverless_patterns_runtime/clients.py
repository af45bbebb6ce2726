"""AWS clients: one session, low-level, made at init, quick to say that a service cannot be reached."""

import gzip
import json
import os.path
from functools import cache
from typing import Any

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError
from botocore.loaders import JSONFileLoader, Loader

__all__ = ["client", "impatient_client", "signer", "unreachable"]

CONNECT_TIMEOUT_SECONDS = 1
"""In a VPC without a route every attempt costs this much; the SDK's default of 60 would outlast the function."""

READ_TIMEOUT_SECONDS = 5

CONNECTIONS = 11
"""That a client keeps, for ten threads and the one that started them; each is opened when first needed.

A request beyond them would open a connection of its own and throw it away: a TLS handshake every time.
"""

_CONFIG = Config(
    connect_timeout=CONNECT_TIMEOUT_SECONDS,
    read_timeout=READ_TIMEOUT_SECONDS,
    max_pool_connections=CONNECTIONS,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Requests are built by our own code from checked values; checking each again costs CPU on every message.
    parameter_validation=False,
    # A finished string: composing the default one is a quarter of a call's CPU.
    user_agent=f"Botocore/{botocore.__version__} cdk-serverless-patterns",
)


IMPATIENCE_SECONDS = 0.2
"""For what may be left out: twenty times what DynamoDB usually takes."""


class _JsonFiles(JSONFileLoader):
    """Read into plain dicts, which keep their order too: into the SDK's OrderedDicts takes twice as long."""

    def load_file(self, file_path: str) -> Any:
        """`file_path` comes without its suffix. None: there is no such file."""
        for path, opened in ((f"{file_path}.json", open), (f"{file_path}.json.gz", gzip.open)):
            if os.path.isfile(path):
                with opened(path, "rb") as file:
                    return json.load(file)
        return super().load_file(file_path)  # a later SDK may know another suffix


class _Loader(Loader):
    """Knows what this runtime calls. The SDK would look for it in 400 folders, a fifth of a first client's creation."""

    FILE_LOADER_CLASS = _JsonFiles

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        return ["dynamodb", "rds-data", "s3", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions"]

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Without the search of every transaction for ARNs of another account's tables, a twentieth of its CPU.

        Ours name their tables.
        """
        model = super().load_service_model(service_name, type_name, api_version)
        for operation in model.get("operations", {}).values():
            operation.pop("operationContextParams", None)
        return model


@cache
def _session() -> Any:
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return session


@cache
def client(service: str) -> Any:
    """The botocore client of a service. No boto3: it adds a tenth to a cold start and nothing we need."""
    return _session().create_client(service, config=_CONFIG)


@cache
def impatient_client(service: str) -> Any:
    """As `client`, for requests whose answer nobody should wait for: one try, of 200 ms."""
    impatient = Config(
        connect_timeout=IMPATIENCE_SECONDS,
        read_timeout=IMPATIENCE_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return _session().create_client(service, config=_CONFIG.merge(impatient))


def signer() -> tuple[Any, str]:
    """Credentials as they are now, and the region: for requests that no client makes."""
    session = _session()
    return session.get_credentials().get_frozen_credentials(), session.get_config_variable("region")


def unreachable(error: BaseException) -> str | None:
    """One clear line when an error means that there is no way to the service, else None."""
    if not isinstance(error, ConnectTimeoutError | EndpointConnectionError):
        return None
    endpoint = error.kwargs.get("endpoint_url", "an AWS endpoint")
    return (
        f"cannot reach {endpoint}: a function in a VPC needs a route to it;"
        " add the VPC endpoints that the construct lists as required_endpoints, or a NAT gateway"
    )
