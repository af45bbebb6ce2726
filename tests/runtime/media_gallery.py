"""Uploads without AWS: the app's own functions, and the few rules of a topic with a fan-in."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cataloguing import catalogue
from gallery.outcome import (
    BRANCHES,
    DEADLINE,
    FIRST,
    INBOX,
    LATE,
    METADATA,
    SCAN,
    STALLED,
    THUMBNAIL,
    WELL,
    Gallery,
    Upload,
)
from images import broken, samples
from metadata import metadata
from scanning import scan
from showing.deployed import DeadLetter
from showing.fan_out import Branch, Struck
from showing.timeline import Handled
from thumbnails import thumbnail

from serverless_patterns_runtime import Completion, Invocation, PermanentError
from serverless_patterns_runtime.testing import Table, commit

NOON = 1_790_000_000.0
CLOSED, DUE, OPENED = NOON + 10, NOON + 20, NOON + 21
FUNCTIONS: dict[str, Callable[..., Any]] = {THUMBNAIL: thumbnail, METADATA: metadata, SCAN: scan}


@dataclass
class Media:
    uploads: dict[str, bytes]
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    rows: Table = field(default_factory=lambda: Table(key=("image",)))
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By branch, by image."""
    handled: dict[str, list[Handled]] = field(default_factory=lambda: {name: [] for name in (*BRANCHES, "ends")})
    dead: dict[str, list[DeadLetter]] = field(default_factory=lambda: {name: [] for name in BRANCHES})

    def look(self, upload: Upload, branches: Iterable[str], at: float) -> None:
        event = {"detail": {"object": {"key": upload.image}}}
        invocation = Invocation.fake(buckets={"UPLOADS": self.uploads, "THUMBNAILS": self.thumbnails})
        for name in branches:
            try:
                self.results.setdefault(upload.image, {})[name] = FUNCTIONS[name](event, invocation)
                self._say(name, upload, "Succeeded", at)
            except PermanentError as error:
                self.dead[name].append(DeadLetter("dead", json.dumps(event), error.message, "PermanentError", "c"))
                self._say(name, upload, "Refused", at)

    def end(self, upload: Upload, at: float) -> None:
        """With what there is."""
        results = self.results[upload.image]
        missing = sorted({*BRANCHES} - results.keys())
        completion = Completion(
            key="an event's",
            outcome="deadline" if missing else "complete",
            results=results,
            missing=missing,
            message={"detail": {"object": {"key": upload.image}}},
        )
        commit(catalogue(completion), {"CATALOGUE": self.rows})
        self._say("ends", upload, "Succeeded", at)

    def hear_again(self, name: str, upload: Upload, at: float) -> None:
        self.handled[name].append(Handled(at, f"{upload.image} to {name} again", "c", "Duplicate", 1))

    def branch(self, name: str) -> Branch:
        return Branch(self.handled[name], self.dead.get(name, []), undelivered=0, left=0)

    def _say(self, name: str, upload: Upload, outcome: str, at: float) -> None:
        self.handled[name].append(Handled(at, f"{upload.image} to {name}", "c", outcome, 1))


def play() -> Gallery:
    """As the demo's, with nothing wrong but what is to be."""
    well = [Upload(sample, NOON) for sample in (*samples(4), *broken())]
    stalled = [Upload(sample, CLOSED + 1, stalled=True) for sample in samples(2, seed=2)]
    media = Media({upload.image: upload.sample.content for upload in (*well, *stalled)})
    for upload in well:
        media.look(upload, BRANCHES, NOON + 1)
    for name in BRANCHES:
        media.hear_again(name, well[0], NOON + 3)
    for upload in stalled:
        media.look(upload, (THUMBNAIL, METADATA), CLOSED + 2)
    for upload in (*well, *stalled):
        media.end(upload, DUE if upload.missing else NOON + 2)
    for upload in stalled:
        media.look(upload, [SCAN], OPENED + 1)
    times = pairwise((NOON - 1, NOON, CLOSED, CLOSED + 5, OPENED, OPENED + 2))
    return Gallery(
        uploads=[*well, *stalled],
        rows={row["image"]: row for row in media.rows.items},
        thumbnails=media.thumbnails,
        branches={name: media.branch(name) for name in BRANCHES},
        completions=media.branch("ends"),
        late=len(stalled),
        twice=1,
        struck=[Struck("Answer <lost>", "cut", 3)],
        phases=dict(zip((FIRST, WELL, STALLED, DEADLINE, LATE), times, strict=True)),
        stalled=(CLOSED, OPENED),
    )


def image(name: str) -> str:
    return INBOX + name
