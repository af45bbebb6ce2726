"""The demo's orders: invented ones, the Northwind files, the stock that decides them, and the messages made of them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from demo import northwind, stock, traffic, wholesale


@pytest.fixture(scope="module")
def orders() -> list[wholesale.Order]:
    return wholesale.generate()


def test_the_same_seed_gives_the_same_orders_and_another_seed_others(orders: list[wholesale.Order]) -> None:
    assert wholesale.generate() == orders
    assert wholesale.generate(seed=1) != orders


def test_there_are_about_800_orders_and_2000_lines_of_80_products(orders: list[wholesale.Order]) -> None:
    products = {line["product_id"] for order in orders for line in order["lines"]}
    assert len(orders) == 800
    assert 1_900 < sum(len(order["lines"]) for order in orders) < 2_300
    assert products == set(range(1, 81)) == set(wholesale.product_names())


@pytest.mark.parametrize("awkward", ["'", '"', ",", "É", "é", "ß", "Ł", "&"])
def test_names_and_addresses_hold_what_breaks_careless_software(orders: list[wholesale.Order], awkward: str) -> None:
    texts = [f"{order['customer']['name']} {order['ship_to']['street']} {order['ship_to']['city']}" for order in orders]
    assert any(awkward in text for text in texts)


def test_some_fields_are_missing_and_some_lines_are_discounted(orders: list[wholesale.Order]) -> None:
    assert {None} < {order["ship_to"]["region"] for order in orders}
    assert {None} < {order["ship_to"]["postal_code"] for order in orders}
    assert {None} < {order["required_on"] for order in orders}
    assert {line["discount"] for order in orders for line in order["lines"]} == {0, 0.05, 0.1, 0.15, 0.2, 0.25}


def test_some_orders_hold_a_product_on_two_lines(orders: list[wholesale.Order]) -> None:
    assert any(len({line["product_id"] for line in order["lines"]}) < len(order["lines"]) for order in orders)


@pytest.mark.parametrize("count", [60, 120, 800])
def test_exactly_the_orders_that_want_one_of_three_products_are_impossible(count: int) -> None:
    orders = wholesale.generate(count)
    opening = stock.opening_stock(orders)
    impossible = [order for order in orders if not opening.can_fulfil(order)]
    assert 3 <= len(impossible) <= max(6, count / 20)
    assert all(opening.on_hand[product] == 0 for product in opening.sold_out)
    assert not opening.unlisted & opening.on_hand.keys()
    demand = stock.quantities(order for order in orders if opening.can_fulfil(order))
    assert all(opening.on_hand[product] > count for product, count in demand.items())


def test_with_the_shortage_made_good_every_order_can_be_fulfilled(orders: list[wholesale.Order]) -> None:
    opening = stock.opening_stock(orders)
    missing = stock.shortage(orders, opening)
    demand = stock.quantities(orders)
    assert missing.keys() == opening.sold_out | opening.unlisted
    assert all(opening.on_hand.get(product, 0) + missing.get(product, 0) >= count for product, count in demand.items())


def test_every_order_is_sent_and_a_tenth_of_them_twice(orders: list[wholesale.Order]) -> None:
    planned = traffic.plan(orders, stock.opening_stock(orders))
    copies = Counter(message.work for message in planned.messages if message.kind in ("order", "impossible"))
    assert copies.keys() == {order["order_id"] for order in orders}
    assert Counter(copies.values()) == {1: 720, 2: 80}


def test_one_order_is_contradicted_under_the_same_id(orders: list[wholesale.Order]) -> None:
    planned = traffic.plan(orders, stock.opening_stock(orders))
    (contradiction,) = planned.of_kind("contradiction")
    (original,) = [message for message in planned.messages if message.work == contradiction.order["order_id"]]
    assert original.order["order_id"] == contradiction.order["order_id"]
    assert original.order != contradiction.order


def test_messages_keep_accents_and_quotes(orders: list[wholesale.Order]) -> None:
    planned = traffic.plan(orders, stock.opening_stock(orders))
    by_id = {message.work: message.order for message in planned.messages if message.kind in ("order", "impossible")}
    assert by_id == {order["order_id"]: order for order in orders}


class Queue:
    """Remembers what was sent; fails where it is told to."""

    def __init__(self, refuse: str = "") -> None:
        self.bodies: list[str] = []
        self.refuse = refuse

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        assert QueueUrl == "queue"
        assert 1 <= len(Entries) <= 10
        self.bodies += [entry["MessageBody"] for entry in Entries]
        failed = [entry for entry in Entries if entry["MessageBody"] == self.refuse]
        sent = [
            {"Id": entry["Id"], "MessageId": f"id of {entry['MessageBody']}"}
            for entry in Entries
            if entry not in failed
        ]
        return {"Successful": sent} | ({"Failed": failed} if failed else {})


def messages(count: int) -> list[traffic.Message]:
    return [traffic.Message(str(number), str(number), "order") for number in range(count)]


def test_every_message_is_sent_once_and_known_by_its_id() -> None:
    queue = Queue()
    sent = traffic.send(queue, "queue", messages(23))
    assert sorted(queue.bodies) == sorted(str(number) for number in range(23))
    assert {one.correlation_id: one.message for one in sent} == {f"id of {one.body}": one for one in messages(23)}


def test_a_message_that_sqs_refuses_fails_the_run() -> None:
    with pytest.raises(RuntimeError, match="SQS refused"):
        traffic.send(Queue(refuse="4"), "queue", messages(10))


@pytest.fixture
def northwind_folder(tmp_path: Path) -> Path:
    (tmp_path / "products.csv").write_text("productID,productName\n1,Crème\n2,Jack's Jam\n", encoding="utf-8")
    (tmp_path / "order-details.csv").write_text(
        "orderID,productID,unitPrice,quantity,discount\n7,1,14.00,12,0\n7,2,9.80,10,0.15\n8,1,14.00,1,0\n",
        encoding="utf-8",
    )
    header = "orderID,customerID,employeeID,orderDate,requiredDate,shippedDate,shipVia,freight,shipName,shipAddress"
    (tmp_path / "orders.csv").write_text(
        f"{header},shipCity,shipRegion,shipPostalCode,shipCountry\n"
        "7,ZOEAA,5,2026-07-04 00:00:00.000,NULL,NULL,3,32.38,Chez Zoé,2, rue de l'Église,Évry,NULL,NULL,France\n"
        "8,JACKS,5,2026-07-05 00:00:00.000,2026-08-01 00:00:00.000,NULL,3,1.00,Jack's,Via 8,Bari,BA,70121,Italy\n",
        encoding="utf-8",
    )
    return tmp_path


def test_northwind_rows_become_orders_with_nulls_and_unquoted_commas_understood(northwind_folder: Path) -> None:
    first, second = northwind.read_orders(northwind_folder)
    assert first == {
        "order_id": "7",
        "ordered_on": "2026-07-04",
        "required_on": None,
        "customer": {"customer_id": "ZOEAA", "name": "Chez Zoé"},
        "ship_to": {
            "street": "2, rue de l'Église",
            "city": "Évry",
            "region": None,
            "postal_code": None,
            "country": "France",
        },
        "freight": 32.38,
        "lines": [
            {"product_id": 1, "unit_price": 14.0, "quantity": 12, "discount": 0},
            {"product_id": 2, "unit_price": 9.8, "quantity": 10, "discount": 0.15},
        ],
    }
    assert second["ship_to"]["street"] == "Via 8"
    assert northwind.read_product_names(northwind_folder) == {1: "Crème", 2: "Jack's Jam"}


def test_northwind_orders_have_the_shape_of_the_invented_ones(northwind_folder: Path) -> None:
    assert shape(northwind.read_orders(northwind_folder)[1]) == shape(wholesale.generate(1)[0])


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return [shape(value[0])] if isinstance(value, list) else ...


def test_a_folder_without_the_files_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").touch()
    with pytest.raises(
        FileNotFoundError, match=r"has no order-details\.csv, products\.csv; it takes the Northwind CSV files"
    ):
        northwind.read_orders(tmp_path)


def test_a_row_with_too_few_cells_is_refused(northwind_folder: Path) -> None:
    with (northwind_folder / "order-details.csv").open("a", encoding="utf-8") as file:
        file.write("8,2\n")
    with pytest.raises(ValueError, match=r"order-details\.csv: a row has 2 cells, the header has 5"):
        northwind.read_orders(northwind_folder)
