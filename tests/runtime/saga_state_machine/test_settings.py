"""The environment is what the contracts say, and nothing is made up."""

import pytest

from serverless_patterns_runtime.saga_state_machine.settings import Settings

VARIABLES = {
    "BUSINESS_FUNCTION": "card:charge",
    "RETURNS_EFFECTS": "true",
    "TABLES": "CARDS,ORDERS",
    "CARDS": "shop-cards",
    "ORDERS": "shop-orders",
    "CLAIMS_TABLE_NAME": "shop-claims",
    "CLAIMS_NAMESPACE": "Checkout",
    "CLAIMS_RETENTION_SECONDS": "1000",
    "MAX_RESULT_BYTES": "32768",
}


@pytest.fixture
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_variables")
def test_the_environment_is_read() -> None:
    assert Settings.from_environment() == Settings(
        business_function="card:charge",
        returns_effects=True,
        tables={"CARDS": "shop-cards", "ORDERS": "shop-orders"},
        claims_table_name="shop-claims",
        claims_namespace="Checkout",
        claims_retention_seconds=1000,
        max_result_bytes=32768,
    )


@pytest.mark.usefixtures("_variables")
@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_missing_is_an_error_at_init(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        Settings.from_environment()
