"""Functions of a folder of their own."""


def upcast(state: dict, schema: int) -> dict:
    return {**state, "schema": schema + 1}


def by_price(order: dict) -> list[dict]:
    return [{"price": order["price"], "order_id": order["order_id"]}]
