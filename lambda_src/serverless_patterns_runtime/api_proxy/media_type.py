"""What a `Content-Type` or an `Accept` says, as far as it matters here."""

from collections.abc import Iterable

__all__ = ["charset", "is_among", "is_json", "is_text"]


def is_json(content_type: str) -> bool:
    essence = _essence(content_type)
    return essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json"))


def is_text(content_type: str) -> bool:
    return is_json(content_type) or _essence(content_type).startswith("text/")


def is_among(said: str, listed: Iterable[str]) -> bool:
    """Whether API Gateway takes a type for one of its binary ones, which may be `image/*` or `*/*`.

    As it does, literally: who says `*/*` or `image/*` gets what is listed under exactly that name.
    """
    essence = _essence(said)
    patterns = {name.strip().lower() for name in listed}
    return bool(essence) and not patterns.isdisjoint((essence, f"{essence.partition('/')[0]}/*", "*/*"))


def charset(content_type: str) -> str:
    """In lower case; `utf-8` where none is given, as JSON has it."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
