"""A page of the scan, in the generation: stamped, projected, written, and parked where that cannot be."""

import base64
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_table.aggregate import version_of
from serverless_patterns_runtime.cqrs_table.settings import Image
from serverless_patterns_runtime.cqrs_views.filling import Filling
from serverless_patterns_runtime.cqrs_views.giving_up import GivenUp
from serverless_patterns_runtime.cqrs_views.progress import MOST_REFUSED, Counts
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.scanning import Images, Scan, unversioned

__all__ = ["PageFill", "Park"]

Park = Callable[[str, Change, GivenUp], object]
"""Takes the name of the view, what a record of the aggregate would say, and why it is given up."""


class PageFill(NamedTuple):
    filling: Filling
    scan: Scan
    park: Park

    def __call__(self, page: Images, *, tolerant: bool) -> Counts:
        """Raises SinkUnavailable, NotParked, and what the client raises: then do it again."""
        images = [self.scan.stamped(image) if unversioned(image) else image for image in page.images]
        there = {image[self.scan.model.key]["S"]: image for image in images if image is not None}
        refused: dict[str, GivenUp] = {}
        for key, error in self.filling.aggregates(list(there.values())):
            if not isinstance(error, GivenUp):
                raise error
            refused[key] = error
        if tolerant:
            for key, error in refused.items():
                self.park(self.filling.view.name, self._change(key, there[key]), error)
        return Counts(
            scanned=len(page.images),
            stamped=sum(map(unversioned, page.images)),
            parked=len(refused),
            examples=[f"{key}: {error}" for key, error in refused.items()],
            refused={key: version_of(there[key]) or 0 for key in islice(refused, MOST_REFUSED)},
        )

    def _change(self, key: str, image: Image) -> Change:
        return Change(key, None, _as_streamed(image), self.scan.clock())


def _as_streamed(image: Image) -> Image:
    return {name: _encoded(value) for name, value in image.items()}


def _encoded(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {"B": base64.b64encode(content).decode()}
        case "BS":
            return {"BS": [base64.b64encode(member).decode() for member in content]}
        case "M":
            return {"M": {name: _encoded(member) for name, member in content.items()}}
        case "L":
            return {"L": [_encoded(member) for member in content]}
        case _:
            return {kind: content}
