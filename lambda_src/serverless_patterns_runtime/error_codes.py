"""What AWS calls an error. No client is needed for that: the router, which has none of the SDK's, asks too."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

__all__ = ["error_code"]


def error_code(error: "ClientError") -> str:
    """Empty when AWS does not say."""
    return error.response.get("Error", {}).get("Code", "")
