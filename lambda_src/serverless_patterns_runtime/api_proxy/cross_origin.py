"""What lets pages of other origins read an answer."""

from collections.abc import Sequence

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.answer import Answer

__all__ = ["headers"]


def headers(settings: contract.CrossOrigin | None, origins: Sequence[str], answer: Answer) -> list[tuple[str, str]]:
    """To be added to the answer. `origins` are the request's `Origin` headers; the preflight is the gateway's."""
    if settings is None:
        return []
    if settings["origins"] == ["*"]:
        added = [("Access-Control-Allow-Origin", "*")]
    else:
        vary = [value for name, values in answer.headers.items() if name.lower() == "vary" for value in values]
        added = [("Vary", ", ".join([*vary, "Origin"]))]  # a cache must not give one origin's answer to another
        if len(origins) != 1 or origins[0] not in settings["origins"]:
            return added
        added.append(("Access-Control-Allow-Origin", origins[0]))
    if settings["credentials"]:
        added.append(("Access-Control-Allow-Credentials", "true"))
    if settings["expose_headers"]:
        added.append(("Access-Control-Expose-Headers", ", ".join(settings["expose_headers"])))
    return added
