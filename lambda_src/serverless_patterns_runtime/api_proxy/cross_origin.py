"""What lets pages of other origins read an answer. The preflight is the gateway's."""

from collections.abc import Sequence

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.answer import Answer

__all__ = ["opened"]

_PREFIX = "access-control-"


def opened(answer: Answer, settings: contract.CrossOrigin | None, origins: Sequence[str]) -> Answer:
    """The answer, open to those whom the API names; without CORS, as it is. `origins`: the request's `Origin`."""
    if settings is None:
        return answer
    headers = {name: values for name, values in answer.headers.items() if not name.lower().startswith(_PREFIX)}
    if settings["origins"] == ["*"]:
        allowed = "*"
    else:
        # Caches must not give one origin's answer to another.
        vary = [name for name in headers if name.lower() == "vary"]
        headers["Vary"] = (", ".join([value for name in vary for value in headers.pop(name)] + ["Origin"]),)
        allowed = origins[0] if len(origins) == 1 and origins[0] in settings["origins"] else None
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = (allowed,)
        if settings["credentials"]:
            headers["Access-Control-Allow-Credentials"] = ("true",)
        if settings["expose_headers"]:
            headers["Access-Control-Expose-Headers"] = (", ".join(settings["expose_headers"]),)
    return answer._replace(headers=headers)
