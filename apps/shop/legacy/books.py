"""What the site keeps, in SQLite: profiles, products, baskets, and what became of each `Idempotency-Key`."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from legacy import sessions
from legacy.stocklist import Product, Profile, products, profiles

PAGE = 20
_SCHEMA = f"""
CREATE TABLE profiles (customer_id TEXT PRIMARY KEY, name TEXT, street TEXT, city TEXT, country TEXT);
CREATE TABLE products (product_id INTEGER PRIMARY KEY, name TEXT, price_cents INTEGER, tags TEXT);
CREATE TABLE basket_lines (
    line_id INTEGER PRIMARY KEY, customer_id TEXT NOT NULL, product_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
    key TEXT NOT NULL);
CREATE TABLE keys (customer_id TEXT, key TEXT, request TEXT, answer TEXT, PRIMARY KEY (customer_id, key));
{sessions.SCHEMA};
"""


class KeyReused(Exception):
    """The key came before, with something else."""


def opened(file: Path) -> sqlite3.Connection:
    """A database as on the first day. One connection, for one thread at a time."""
    database = sqlite3.connect(file, check_same_thread=False)
    database.executescript(_SCHEMA)
    with database:
        database.executemany(
            "INSERT INTO profiles VALUES (:customer_id, :name, :street, :city, :country)", [*profiles()]
        )
        rows = [{**product, "tags": json.dumps(product["tags"])} for product in products()]
        database.executemany("INSERT INTO products VALUES (:product_id, :name, :price_cents, :tags)", rows)
    return database


class Books:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def profile(self, customer: str) -> Profile | None:
        found = self._database.execute(
            "SELECT customer_id, name, street, city, country FROM profiles WHERE customer_id = ?", [customer]
        ).fetchone()
        return Profile(**dict(zip(Profile.__annotations__, found, strict=True))) if found else None

    def change_profile(self, profile: Profile) -> None:
        with self._database:
            self._database.execute(
                "UPDATE profiles SET name = :name, street = :street, city = :city, country = :country"
                " WHERE customer_id = :customer_id",
                profile,
            )

    def search(self, words: str, tags: list[str], page: int) -> tuple[list[Product], int]:
        """One page of the products that have the words in their name and any of the tags, and how many there are."""
        found = [
            product
            for product in self._products()
            if words.lower() in product["name"].lower() and (not tags or {*tags} & {*product["tags"]})
        ]
        return found[PAGE * (page - 1) : PAGE * page], len(found)

    def basket(self, customer: str) -> list[dict[str, int]]:
        rows = self._database.execute(
            "SELECT product_id, quantity FROM basket_lines WHERE customer_id = ? ORDER BY line_id", [customer]
        )
        return [{"product_id": product, "quantity": quantity} for product, quantity in rows]

    def put_in_basket(self, customer: str, product: int, quantity: int, key: str) -> tuple[dict[str, Any], bool]:
        """What is answered, and whether this key was answered so before. Raises KeyReused."""
        request = json.dumps([product, quantity])
        with self._database:
            known = self._database.execute(
                "SELECT request, answer FROM keys WHERE customer_id = ? AND key = ?", [customer, key]
            ).fetchone()
            if known and known[0] != request:
                raise KeyReused
            if known:
                return json.loads(known[1]), True
            answer = {"customer_id": customer, "product_id": product, "quantity": quantity}
            self._database.execute(
                "INSERT INTO basket_lines (customer_id, product_id, quantity, key) VALUES (?, ?, ?, ?)",
                [customer, product, quantity, key],
            )
            if key:
                self._database.execute(
                    "INSERT INTO keys VALUES (?, ?, ?, ?)", [customer, key, request, json.dumps(answer)]
                )
        return answer, False

    def effects(self) -> list[dict[str, Any]]:
        """Everything that was ever put in a basket, with its key."""
        rows = self._database.execute("SELECT customer_id, product_id, quantity, key FROM basket_lines")
        return [dict(zip(("customer_id", "product_id", "quantity", "key"), row, strict=True)) for row in rows]

    def _products(self) -> list[Product]:
        rows = self._database.execute("SELECT product_id, name, price_cents, tags FROM products ORDER BY product_id")
        return [
            Product(product_id=number, name=name, price_cents=price, tags=json.loads(tags))
            for number, name, price, tags in rows
        ]
