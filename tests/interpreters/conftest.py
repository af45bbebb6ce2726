"""One account of moto's for a file; making one costs as much as running a saga."""

from collections.abc import Generator

import pytest

from tests.interpreters.moto_states import Moto


@pytest.fixture(scope="module")
def moto() -> Generator[Moto]:
    with Moto() as made:
        yield made
