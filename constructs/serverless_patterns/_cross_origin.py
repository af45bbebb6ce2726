"""CORS headers of the answers that the gateway makes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CrossOriginAnswers:
    """What an answer from a mapping template needs, so that pages of the listed origins may read it."""

    headers: Mapping[str, str]
    """Quoted constants by header name, such as `'*'` with its quotes: for `response_parameters`."""

    template: str
    """Put in front of every response template; empty when the constants say it all."""
