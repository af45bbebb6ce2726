"""What `LambdaAuthorizer` tells its function. Both sides import this."""

from typing import NamedTuple

HANDLER = "serverless_patterns_runtime.lambda_authorizer.handler.lambda_handler"

RESERVED = ("principalId", "integrationLatency")
"""What API Gateway itself puts beside the claims of a caller: no claim can be called that."""


class Env(NamedTuple):
    """Variables that the construct sets and the function reads: exactly these."""

    IDENTITY_HEADER: str
    """The header that holds the caller's credential, such as `Authorization`."""

    RESULTS_REMEMBERED: str
    """`true`: the gateway keeps the answer to one value of that header, and gives it for every route."""
