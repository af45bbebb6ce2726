"""Who sends orders: the shop's sales desks, each with a token of its own. Here the demo plays the identity provider."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from handlers import tokens

VALID_SECONDS = 3_600
SCOPES = {"desk-north": "orders payments", "desk-south": "orders payments", "fair": "orders"}
BOTH = ("desk-north", "desk-south")
"""Desks that may also take payments."""


@dataclass(frozen=True)
class Desks:
    signing_key: str
    now: float

    @classmethod
    def open(cls, signing_key: str) -> "Desks":
        return cls(signing_key, time.time())

    def headers(self, desk: str) -> Mapping[str, str]:
        """What a desk sends to say who it is."""
        return bearing(tokens.issue(desk, SCOPES[desk], int(self.now + VALID_SECONDS), self.signing_key))

    def till(self) -> Mapping[str, str]:
        """Of somebody who may take payments, and nothing else."""
        return bearing(tokens.issue("till", "payments", int(self.now + VALID_SECONDS), self.signing_key))

    def webshop(self) -> Mapping[str, str]:
        """Of the shop's own site, which checks its visitors' baskets out."""
        return bearing(tokens.issue("webshop", "checkout", int(self.now + VALID_SECONDS), self.signing_key))

    def app(self) -> Mapping[str, str]:
        """Of another caller who may check out, and has not begun what the site began."""
        return bearing(tokens.issue("app", "checkout", int(self.now + VALID_SECONDS), self.signing_key))

    def marketplace(self) -> Mapping[str, str]:
        """Of a marketplace, which tells of orders that were placed there."""
        return bearing(tokens.issue("marketplace", "orders", int(self.now + VALID_SECONDS), self.signing_key))

    def manager(self) -> Mapping[str, str]:
        """Of somebody who may approve, and nothing else."""
        return bearing(tokens.issue("manager", "approvals", int(self.now + VALID_SECONDS), self.signing_key))

    def strangers(self) -> Mapping[str, Mapping[str, str]]:
        """By what is wrong with them: headers that nobody may get in with."""
        good = self.headers(BOTH[0])["Authorization"].partition(" ")[2]
        claims, _, signature = good.partition(".")
        ends = int(self.now + VALID_SECONDS)
        admin, _, _ = tokens.issue("admin", "orders payments", ends, "guessed").partition(".")
        return {
            "no token": {},
            "an empty token": bearing(""),
            "a made-up token": bearing("let.me.in"),
            "an expired token": bearing(
                tokens.issue(BOTH[0], SCOPES[BOTH[0]], int(self.now - VALID_SECONDS), self.signing_key)
            ),
            "a token signed with another key": bearing(tokens.issue(BOTH[0], SCOPES[BOTH[0]], ends, "guessed")),
            "changed claims under an old signature": bearing(f"{admin}.{signature}"),
            "claims without a signature": bearing(f"{claims}."),
            "another scheme": {"Authorization": f"Basic {good}"},
            "an API key instead": {"x-api-key": good},
        }


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
