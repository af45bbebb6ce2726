"""The one way from environment variables to a pattern's `Env`."""

import os
from typing import NamedTuple, TypeVar

EnvType = TypeVar("EnvType", bound=NamedTuple)


def read(env_type: type[EnvType]) -> EnvType:
    """Every field of `env_type` from the variable of its name. No defaults: a missing one is a KeyError at init."""
    return env_type._make(os.environ[name] for name in env_type._fields)
