"""Which operations AWS's services have, by boto3's own models."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache

__all__ = ["check_operation"]


def check_operation(service: str, operation: str) -> None:
    """Refuse what no call can be: a fault of it would wait for ever.

    Raises:
        ValueError: boto3 knows no such service, or the service no such operation; with the nearest name.
    """
    services = _services()
    if service not in services:
        raise ValueError(f"boto3 knows no service {service!r}{_near(service, services, 0.8)}")
    operations = _operations(service)
    if operation not in operations:
        raise ValueError(f"{service} has no operation {operation!r}{_near(operation, operations, 0.6)}")


@cache
def _services() -> Collection[str]:
    from botocore.session import get_session

    return frozenset(get_session().get_available_services())


@cache
def _operations(service: str) -> Collection[str]:
    from botocore.session import get_session

    return frozenset(get_session().get_service_model(service).operation_names)


def _near(name: str, names: Collection[str], least: float) -> str:
    by_lower = {each.lower(): each for each in names}
    near = get_close_matches(name.lower().replace("_", ""), sorted(by_lower), n=1, cutoff=least)
    return f": did you mean {by_lower[near[0]]!r}?" if near else ""
