"""Invented wholesale orders, the same ones for the same seed: real shapes, nobody's data.

Names hold accents, apostrophes, quotes and commas, some fields are missing, and a few products sell far more
often than others, because that is what breaks software that was only ever shown `Test Customer 1`.
"""

from datetime import date, timedelta
from random import Random
from typing import Any

Order = dict[str, Any]
"""As it travels in a message: see `generate`."""

PRODUCTS = 80
CUSTOMERS = 90

_MAKERS = ["Æbelø", "O'Malley", "Señora Ruiz", "Großmann", "Łańcut", 'Casa "La Niña"', "Grand-mère Zoé", "Þórr & Synir"]
_GOODS = [
    *["Oat Crackers", "Plum Jam", "Sheep's Cheese", "Rye Crispbread", "Quince Paste"],
    *["Smoked Eel", "Pickled Beets", "Chestnut Honey", "Elderflower Cordial", "Gingerbread"],
]
_SHOPS = ["Épicerie", "Delikatessen", "Mercearia", "Sklep", "Trattoria", "Bodega", "Food Hall", "Kolonial"]
_OWNERS = [
    *["d'Amboise", "Müller & Söhne", "São João", "Żółty Kot", "Dell'Orto", "Peña"],
    *['O\'Brien "The Corner"', "Ångström", "Bon Goût", "Çelik", "Šimůnek"],
]
_STREETS = [
    *["rue de l'Église", "Königstraße", "Rua do Sol", "ul. Źródlana"],
    *["Via dell'Arco", "C/ Doña Elvira", "Saint John's Lane", "Skjærgårdsveien"],
]
_PLACES = [
    *[("Orléans", None, "France"), ("Köln", None, "Germany"), ("Évora", "Alentejo", "Portugal")],
    *[("Łódź", None, "Poland"), ("Forlì", "FC", "Italy"), ("Logroño", "La Rioja", "Spain")],
    *[("Cork", "Co. Cork", "Ireland"), ("Bodø", None, "Norway")],
]
_DISCOUNTS = [0, 0, 0, 0, 0, 0, 0.05, 0.1, 0.15, 0.2, 0.25]


def generate(count: int = 800, seed: int = 2026) -> list[Order]:
    """`count` orders of 1 to 12 lines, about 2.6 each. Every so often a product is on two lines of one order."""
    random = Random(seed)
    prices = {product: round(random.lognormvariate(3, 0.8), 2) for product in product_names()}
    customers = [_customer(number, random) for number in range(1, CUSTOMERS + 1)]
    return [_order(20_000 + number, random, customers, prices) for number in range(1, count + 1)]


def product_names() -> dict[int, str]:
    """What each product id is called."""
    return {1 + i: f"{_MAKERS[i % len(_MAKERS)]} {_GOODS[i // len(_MAKERS)]}" for i in range(PRODUCTS)}


def _order(number: int, random: Random, customers: list[dict[str, Any]], prices: dict[int, float]) -> Order:
    customer = random.choice(customers)
    ordered = date(2026, 1, 2) + timedelta(days=random.randrange(300))
    return {
        "order_id": str(number),
        "ordered_on": ordered.isoformat(),
        "required_on": (ordered + timedelta(days=28)).isoformat() if random.random() < 0.9 else None,
        "customer": {"customer_id": customer["customer_id"], "name": customer["name"]},
        "ship_to": customer["address"],
        "freight": round(random.lognormvariate(3.5, 1), 2),
        "lines": _lines(random, prices),
    }


def _lines(random: Random, prices: dict[int, float]) -> list[dict[str, Any]]:
    lines = []
    while not lines or (len(lines) < 12 and random.random() < 0.615):
        product = _product(random)
        lines.append(
            {
                "product_id": product,
                "unit_price": prices[product],
                "quantity": random.choice([1, 2, 3, 5, 6, 10, 12, 15, 20, 24, 30, 40, 60, 120]),
                "discount": random.choice(_DISCOUNTS),
            }
        )
    return lines


def _product(random: Random) -> int:
    """Low numbers sell most, the last ones hardly ever."""
    return 1 + int(PRODUCTS * random.random() ** 2)


def _customer(number: int, random: Random) -> dict[str, Any]:
    city, region, country = random.choice(_PLACES)
    house = random.randrange(1, 200)
    street = random.choice(_STREETS)
    return {
        "customer_id": f"C{number:03}",
        "name": f"{random.choice(_SHOPS)} {random.choice(_OWNERS)}",
        "address": {
            "street": f"{house}, {street}" if random.random() < 0.5 else f"{street} {house}",
            "city": city,
            "region": region,
            "postal_code": f"{random.randrange(1000, 99999):05}" if random.random() < 0.95 else None,
            "country": country,
        },
    }
