"""The OpenAPI document of a whole API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .guards import is_ours
from .openapi import openapi

if TYPE_CHECKING:
    from .routes import Planned


def document(title: str, routes: Sequence[Planned], server: str | None) -> dict[str, Any]:
    """The document of the routes of an API, with what their authorizers and API keys ask for, and where it is."""
    headers = {one.route.route: one.guard.given.header for one in routes if is_ours(one.guard)}
    keyed = [one.route.route for one in routes if one.route.api_key_required]
    described = [(one.facts, one.target) for one in routes]
    return openapi(title, described, credential_headers=headers, with_api_key=keyed, server=server)
