"""CPU time of holding one body against its schema: our code, written before deployment, and Powertools' `validate`."""

import gc
import time
from collections.abc import Callable
from typing import Any

from bench.figure import Figure

NAMES = ("schema_validation_us_vs_powertools",)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "customer", "lines"],
    "additionalProperties": False,
    "properties": {
        "order_id": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
        "customer": {"type": "string", "minLength": 5, "maxLength": 5},
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["product_id", "quantity", "unit_price"],
                "additionalProperties": False,
                "properties": {
                    "product_id": {"type": "integer", "minimum": 1},
                    "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
                    "unit_price": {"type": "string", "pattern": "^[0-9]{1,9}[.][0-9]{2}$"},
                },
            },
        },
    },
}
"""Of an order, in what API Gateway enforces too."""

ORDER = {
    "order_id": "order-6f0b1a2c",
    "customer": "ALFKI",
    "lines": [{"product_id": number, "quantity": 3, "unit_price": "18.00"} for number in range(1, 4)],
}
BROKEN = {**ORDER, "lines": [{"product_id": 1, "quantity": 0, "unit_price": "18.00"}]}

ROUNDS = 30
CALLS = {"ours": 500, "peer": 3, "floor": 500}
"""In a round."""

Validate = Callable[[Any], object]


def figures() -> list[Figure]:
    validators = {"ours": _ours(), "peer": _powertools(), "floor": _compiled_once()}
    for name, validate in validators.items():
        _check(name, validate)
    seconds = {name: float("inf") for name in validators}
    for _ in range(ROUNDS):  # interleaved, and the least: what else runs on the machine can only add
        for name, validate in validators.items():
            seconds[name] = min(seconds[name], _cpu_seconds(validate, CALLS[name]))
    figure = Figure(
        name=NAMES[0],
        value=round(seconds["ours"] / seconds["peer"], 4),
        unit="ratio",
        peer=1.0,
        floor=round(seconds["floor"] / seconds["peer"], 4),
        better="lower",
        goal=0.01,
        measured=f"ours {seconds['ours'] * 1e6:.1f} us, Powertools {seconds['peer'] * 1e6:.0f} us, fastjsonschema"
        f" compiled once {seconds['floor'] * 1e6:.1f} us",
    )
    return [figure]


def _ours() -> Validate:
    """As the handler of an API calls the code that `ApiProxy` puts beside the function."""
    from serverless_patterns._api_proxy.schemas import generated_code
    from serverless_patterns_runtime.api_proxy.validation import check

    module: dict[str, Any] = {}
    exec(generated_code({"order": SCHEMA}), module)
    return lambda order: check("body", order, module["order"])


def _powertools() -> Validate:
    from aws_lambda_powertools.utilities.validation import validate

    return lambda order: validate(event=order, schema=SCHEMA)


def _compiled_once() -> Validate:
    """What somebody writes who knows that it can be."""
    import fastjsonschema

    return fastjsonschema.compile(SCHEMA)


def _check(name: str, validate: Validate) -> None:
    """Nothing that lets everything through, or nothing, may count as fast."""
    validate(ORDER)
    try:
        validate(BROKEN)
    except Exception:
        return
    raise RuntimeError(f"{name} did not see that a quantity is below its minimum")


def _cpu_seconds(validate: Validate, calls: int) -> float:
    gc.collect()
    started = time.process_time()
    for _ in range(calls):
        validate(ORDER)
    return (time.process_time() - started) / calls
