"""What the bucket holds of what was given up: shown, and put together for another try."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, takewhile
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.control_contract import PARKED_SHOWN, Ask, Listed, ParkedShown
from serverless_patterns_runtime.cqrs_views.parking import Parking

__all__ = ["UNDELIVERED", "ParkedObjects"]

UNDELIVERED = "undelivered"

_PREFIXES = (contract.UNDELIVERED_PREFIX, contract.PARKED_PREFIX)  # sorted: names behind one are in it, or the next


class ParkedObjects(NamedTuple):
    parking: Parking

    def listed(self, ask: Ask) -> Listed:
        """A page, in the order of their names."""
        shown: list[ParkedShown] = []
        for one, _ in self.found(ask.get("view"), ask.get("after", "")):
            shown.append(one)
            if len(shown) == PARKED_SHOWN:
                return {"parked": shown, "after": one["object"]}
        return {"parked": shown, "after": ""}

    def found(self, view: str | None, after: str = "") -> Iterator[tuple[ParkedShown, str]]:
        """Each with the ARN of the function that never answered it, if it is such a one."""
        return self._loaded(self._names(view, after))

    def _loaded(self, names: Iterable[tuple[str, float]]) -> Iterator[tuple[ParkedShown, str]]:
        for name, written_at in names:
            said = self.parking.load(name)
            if said is not None:
                yield _shown(name, said, written_at), str(said.get("requestContext", {}).get("functionArn", ""))

    def some(self, behind: str, most: int) -> Iterator[tuple[ParkedShown, str]]:
        """At most so many, of any number: what was never answered, then those behind a name, then those before it."""
        upto = takewhile(lambda one: one[0] <= behind, self._names(None, contract.PARKED_PREFIX))
        names = chain(self._under(contract.UNDELIVERED_PREFIX), self._names(None, behind), upto)
        return self._loaded(islice(names, most))

    def handed_over(self, name: str, functions: Sequence[str]) -> list[str]:
        """What one function never answered, as if each of these had not: names of their objects. None: it is gone."""
        if len(functions) == 1:
            return [name]
        said = self.parking.load(name)
        if said is None:
            return []
        copies = {
            f"{name.removesuffix('.json')}-{hashlib.sha256(function.encode()).hexdigest()[:8]}.json": function
            for function in functions
        }
        for copy, function in copies.items():
            context = {**said.get("requestContext", {}), "functionArn": function}
            self.parking.put(copy, {**said, "requestContext": context})
        self.parking.remove(name)
        return list(copies)

    def any(self) -> bool:
        return next(self._names(None, ""), None) is not None

    def _names(self, view: str | None, after: str) -> Iterator[tuple[str, float]]:
        prefixes = _PREFIXES if view is None else (f"{contract.PARKED_PREFIX}{view}/",)
        for prefix in prefixes:
            if after >= prefix and not after.startswith(prefix):
                continue
            yield from self._under(prefix, after if after.startswith(prefix) else "")

    def _under(self, prefix: str, after: str = "") -> Iterator[tuple[str, float]]:
        request: dict[str, Any] = {"Bucket": self.parking.bucket, "Prefix": prefix}
        request |= {"StartAfter": after} if after else {}
        while True:
            answer = self.parking.s3.list_objects_v2(**request)
            for one in cast("Sequence[Mapping[str, Any]]", answer.get("Contents", ())):
                yield one["Key"], one["LastModified"].timestamp()
            if not answer.get("IsTruncated"):
                break
            request["ContinuationToken"] = answer["NextContinuationToken"]


def _shown(name: str, said: Mapping[str, Any], written_at: float) -> ParkedShown:
    if name.startswith(contract.UNDELIVERED_PREFIX):
        condition = str(said.get("requestContext", {}).get("condition", ""))
        shown = {"view": "", "key": "", "version": 0, "reason": UNDELIVERED, "message": condition}
        return cast("ParkedShown", {"object": name, **shown, "parked_at": written_at})
    fields = ("view", "key", "version", "reason", "message", "parked_at")
    return cast("ParkedShown", {"object": name, **{field: said[field] for field in fields}})
