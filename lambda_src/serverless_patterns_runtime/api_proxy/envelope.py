"""API Gateway's event (REST API, Lambda proxy), read: nothing of it is trusted but what the gateway itself says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.request import Values

__all__ = ["Envelope"]

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Envelope:
    event: Mapping[str, Any]

    @property
    def method(self) -> str:
        return self.event["httpMethod"]

    @property
    def resource(self) -> str:
        """The path of the route that the gateway chose, and authorised: `/orders/{order_id}`."""
        return self.event["resource"]

    @property
    def path(self) -> str:
        return self.event["path"]

    @property
    def context(self) -> Mapping[str, Any]:
        """What the gateway itself says about the request; no caller can write here."""
        return self.event["requestContext"]

    @property
    def request_id(self) -> str:
        """Unique for each request. Raises ValueError for what no gateway writes, and a log must not hold."""
        said = self.context["requestId"]
        if not _SAFE.fullmatch(said):
            raise ValueError("requestContext.requestId is no id")
        return said

    @cached_property
    def headers(self) -> Values:
        return Values(self._several("multiValueHeaders", "headers"), ignore_case=True)

    @property
    def query(self) -> Mapping[str, list[str]]:
        """Decoded by the gateway."""
        return self._several("multiValueQueryStringParameters", "queryStringParameters")

    @property
    def cookies(self) -> Mapping[str, str]:
        """Of a name that comes twice the first: browsers send the one of the more specific path first (RFC 6265)."""
        cookies: dict[str, str] = {}
        for header in self.headers.all("Cookie"):
            for pair in header.split(";"):
                name, equals, value = pair.partition("=")
                if equals:
                    cookies.setdefault(name.strip(), value.strip())
        return cookies

    @cached_property
    def correlation_id(self) -> str:
        """The caller's if there is one, and only one, that is safe to log; else the gateway's."""
        said = self.headers.all(contract.CORRELATION_ID_HEADER)
        if len(said) == 1 and _SAFE.fullmatch(said[0]):
            return said[0]
        return self.request_id

    def _several(self, name: str, single: str) -> Mapping[str, list[str]]:
        """The console's test button leaves out what there is none of, or says null."""
        several = self.event.get(name)
        if several is not None:
            return several
        once: Mapping[str, str] = self.event.get(single) or {}
        return {key: [value] for key, value in once.items()}
