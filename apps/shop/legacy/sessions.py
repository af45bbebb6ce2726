"""Who is visiting: a session in the database, and a signed cookie that names it and whose it is.

The signature lets the new functions know a visitor without this database (`handlers/visitors.py`).
"""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Sequence

COOKIE = "shop_session"
GREETING_COOKIE = "shop_name"
PASSWORD = "open sesame"  # everybody's: nothing real is behind it
SECONDS = 86_400

SCHEMA = "CREATE TABLE sessions (session_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL)"


class Sessions:
    """Those who are logged in have a customer's id, others an empty one."""

    def __init__(self, database: sqlite3.Connection, key: str) -> None:
        self._database, self._key = database, key

    def customer(self, cookie: str) -> str | None:
        """Of this cookie's session: an id; empty for a visitor who has not logged in; None when there is no such."""
        session_id, _, rest = cookie.partition(".")
        customer, _, signature = rest.partition(".")
        if not hmac.compare_digest(self._signature(session_id, customer).encode(), signature.encode()):
            return None
        known = self._database.execute("SELECT customer_id FROM sessions WHERE session_id = ?", [session_id]).fetchone()
        return known[0] if known else None

    def begin(self, customer: str = "", instead_of: str = "") -> Sequence[tuple[str, str]]:
        """A new session, and the old cookie's ends: who logs in gets another cookie. The headers that say so."""
        session_id = secrets.token_hex(16)
        with self._database:
            self._end(instead_of)
            self._database.execute("INSERT INTO sessions VALUES (?, ?)", [session_id, customer])
        value = f"{session_id}.{customer}.{self._signature(session_id, customer)}"
        cookies = [("Set-Cookie", f"{COOKIE}={value}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax")]
        if customer:
            cookies.append(("Set-Cookie", f"{GREETING_COOKIE}={customer}; Path=/; SameSite=Lax"))
        return cookies

    def end(self, cookie: str) -> Sequence[tuple[str, str]]:
        with self._database:
            self._end(cookie)
        return [("Set-Cookie", f"{name}=; Path=/; Max-Age=0") for name in (COOKIE, GREETING_COOKIE)]

    def _end(self, cookie: str) -> None:
        self._database.execute("DELETE FROM sessions WHERE session_id = ?", [cookie.partition(".")[0]])

    def _signature(self, session_id: str, customer: str) -> str:
        return hmac.new(self._key.encode(), f"{session_id}.{customer}".encode(), hashlib.sha256).hexdigest()
