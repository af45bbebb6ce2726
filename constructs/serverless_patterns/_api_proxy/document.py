"""The OpenAPI document of a whole API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .credentials import credentials_of
from .openapi import openapi

if TYPE_CHECKING:
    from .routes import Planned


def document(title: str, routes: Sequence[Planned], server: str | None) -> dict[str, Any]:
    """The document of the routes of an API, with what their authorizers and API keys ask for, and where it is."""
    brought = {one.route.route: credentials_of(one.guard) for one in routes}
    keyed = [one.route.route for one in routes if one.route.api_key_required]
    described = [(one.facts, one.target) for one in routes]
    return openapi(title, described, credentials=brought, with_api_key=keyed, server=server)
