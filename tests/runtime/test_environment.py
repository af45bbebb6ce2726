from typing import NamedTuple

import pytest

from serverless_patterns_runtime import environment


class Env(NamedTuple):
    ONE: str
    OTHER: str


def test_every_field_is_the_variable_of_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("OTHER", "")
    assert environment.read(Env) == Env("1", "")


def test_a_missing_variable_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ONE", "1")
    monkeypatch.delenv("OTHER", raising=False)
    with pytest.raises(KeyError) as raised:
        environment.read(Env)
    assert raised.value.args == ("OTHER",)
