"""What a `Content-Type` says, as far as it matters here."""

__all__ = ["charset", "is_json", "is_text"]


def is_json(content_type: str) -> bool:
    essence = _essence(content_type)
    return essence == "application/json" or (essence.startswith("application/") and essence.endswith("+json"))


def is_text(content_type: str) -> bool:
    return is_json(content_type) or _essence(content_type).startswith("text/")


def charset(content_type: str) -> str:
    """In lower case; `utf-8` where none is given, as JSON has it."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
