"""Variables and permissions that name every view: known when the last one has been added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import jsii
from aws_cdk import IListProducer, IStringProducer, Lazy


@jsii.implements(IStringProducer)
class _Late:
    def __init__(self, choose: Callable[[], str]) -> None:
        self._choose = choose

    def produce(self, context: object) -> str:
        del context
        return self._choose()


def late(choose: Callable[[], str]) -> str:
    """A token that becomes this text when the template is written."""
    return Lazy.uncached_string(cast(IStringProducer, _Late(choose)))


@jsii.implements(IListProducer)
class _LateList:
    def __init__(self, choose: Callable[[], Sequence[str]]) -> None:
        self._choose = choose

    def produce(self, context: object) -> list[str]:
        del context
        return [*self._choose()]


def late_list(choose: Callable[[], Sequence[str]]) -> list[str]:
    """A list that becomes these texts when the template is written."""
    return Lazy.uncached_list(cast(IListProducer, _LateList(choose)))
