"""Orders from a folder with the Northwind sample as CSV: `orders.csv`, `order-details.csv`, `products.csv` (UTF-8)."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FILES = ("orders.csv", "order-details.csv", "products.csv")


def read_orders(folder: Path) -> list[dict[str, Any]]:
    """Every order of the folder, in the shape of `wholesale.generate`. FileNotFoundError names what is missing."""
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"ORDERS={folder} has no {', '.join(missing)}; it takes the Northwind CSV files {', '.join(_FILES)}"
        )
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(folder / "order-details.csv"):
        lines[row["orderID"]].append(
            {
                "product_id": int(row["productID"]),
                "unit_price": float(row["unitPrice"]),
                "quantity": int(row["quantity"]),
                "discount": float(row["discount"]),
            }
        )
    return [_order(row, lines[row["orderID"]]) for row in _rows(folder / "orders.csv", spill="shipAddress")]


def read_product_names(folder: Path) -> dict[int, str]:
    """What each product id is called."""
    return {int(row["productID"]): row["productName"] for row in _rows(folder / "products.csv")}


def _order(row: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "order_id": row["orderID"],
        "ordered_on": _day(row["orderDate"]),
        "required_on": _day(row["requiredDate"]),
        "customer": {"customer_id": row["customerID"], "name": row["shipName"]},
        "ship_to": {
            "street": row["shipAddress"],
            "city": row["shipCity"],
            "region": row["shipRegion"],
            "postal_code": row["shipPostalCode"],
            "country": row["shipCountry"],
        },
        "freight": float(row["freight"]),
        "lines": lines,
    }


def _rows(path: Path, spill: str | None = None) -> Iterator[dict[str, Any]]:
    """The file's rows; `NULL` is None. The sample does not quote, so a comma inside `spill` gives a row extra cells."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    for cells in rows:
        extra = len(cells) - len(header)
        if extra and (spill is None or extra < 0):
            raise ValueError(f"{path.name}: a row has {len(cells)} cells, the header has {len(header)}: {cells[:3]}")
        if extra:
            at = header.index(spill)
            cells[at : at + extra + 1] = [",".join(cells[at : at + extra + 1])]
        yield {name: None if cell == "NULL" else cell for name, cell in zip(header, cells, strict=True)}


def _day(timestamp: str | None) -> str | None:
    return timestamp and timestamp[:10]
