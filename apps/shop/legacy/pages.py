"""The site's HTML. Links are absolute, so they say what the site believes to be its address."""

from collections.abc import Sequence
from html import escape

from legacy.stocklist import Profile

_LINKS = (("/", "Shop"), ("/catalogue", "Catalogue"), ("/account", "Account"), ("/downloads/prices.csv", "Prices"))


def front(origin: str, products: int) -> str:
    words = f"{products} products, from Æbelø to Þórr &amp; Synir."
    return _page(origin, "Welcome", f"<p>{words}</p>")


def login(origin: str) -> str:
    fields = '<input name="customer"><input name="password" type="password"><button>Log in</button>'
    return _page(origin, "Log in", f'<form method="post" action="{escape(origin)}/login">{fields}</form>')


def account(origin: str, profile: Profile) -> str:
    where = f"{escape(origin)}/profile/{profile['customer_id']}"
    return _page(origin, profile["name"], f'<p>{escape(profile["city"])}</p><a href="{where}">Your profile</a>')


def not_found(origin: str, path: str) -> str:
    return _page(origin, "Not here", f"<p>There is no {escape(path)}.</p>")


def report_head(origin: str) -> str:
    return f"<!doctype html><title>Sales</title><a href='{escape(origin)}/'>Shop</a><table>\n"


def report_rows(rows: Sequence[tuple[str, int]]) -> str:
    return "".join(f"<tr><td>{escape(name)}</td><td>{cents / 100:.2f}</td></tr>\n" for name, cents in rows)


REPORT_END = "</table>\n"


def _page(origin: str, title: str, inside: str) -> str:
    links = " ".join(f'<a href="{escape(origin)}{path}">{name}</a>' for path, name in _LINKS)
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}\n<body><nav>{links}</nav><h1>{escape(title)}</h1>{inside}</body></html>\n"
