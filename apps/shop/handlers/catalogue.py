"""`/catalogue` as it is after it moved: answers as the old site does."""

from collections.abc import Collection
from typing import Any

from serverless_patterns_runtime import Invocation, PermanentError, Request, Response

PAGE = 20
MOST_PAGES = 1_000
SHOWN = ("product_id", "name", "price_cents", "tags")


def search(request: Request, invocation: Invocation) -> Response:
    """One page of the products that have the words `q` in their name, and any `tag` if there is one."""
    number = request.query.get("page", "1")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= MOST_PAGES:
        raise PermanentError("page is a number from 1", status=400)
    words, tags, page = request.query.get("q", ""), request.query.all("tag"), int(number)
    found = [product for product in _products(invocation) if _fits(product, words, tags)]
    shown = [{name: product[name] for name in SHOWN} for product in found[PAGE * (page - 1) : PAGE * page]]
    told = {"products": shown, "total": len(found), "page": page, "more": page * PAGE < len(found)}
    return Response(200, told, headers={"Cache-Control": "max-age=5"})


def _products(invocation: Invocation) -> list[dict[str, Any]]:
    """All of them. They are few, and change together: one item, one read."""
    catalogue = invocation.table("CATALOGUE").get(catalogue="all")
    return catalogue["products"] if catalogue else []


def _fits(product: dict[str, Any], words: str, tags: Collection[str]) -> bool:
    return words.lower() in product["name"].lower() and (not tags or not {*tags}.isdisjoint(product["tags"]))
