"""What was seen of the uploads: plain facts, from which checks and report are made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from images import Sample
from showing.fan_out import Branch, Struck

THUMBNAIL, METADATA, SCAN = BRANCHES = ("Thumbnail", "Metadata", "Scan")
INBOX = "uploads/"
FIRST, WELL, STALLED, DEADLINE, LATE = "first", "all well", "Scan stands still", "the deadline", "late results"
"""Phases; in the first one functions start."""


@dataclass(frozen=True)
class Upload:
    sample: Sample
    at: float
    """Epoch seconds."""
    stalled: bool = False
    """While Scan stood still."""

    @property
    def image(self) -> str:
        """Key of the object, and of its row."""
        return INBOX + self.sample.name

    @property
    def missing(self) -> list[str]:
        """What has no result when its time is over; nothing: it is in the catalogue before."""
        late = [SCAN] if self.stalled else []
        return sorted(late if self.sample.thumbnail else [*late, THUMBNAIL])

    @property
    def status(self) -> str:
        """What its row has to say. What nobody has scanned is not passed."""
        return "INCOMPLETE" if self.stalled and self.sample.status == "CATALOGUED" else self.sample.status


@dataclass(frozen=True)
class Gallery:
    uploads: Sequence[Upload]
    rows: Mapping[str, Mapping[str, Any]]
    """Of the catalogue, by image."""
    thumbnails: Mapping[str, bytes]
    """By key."""
    branches: Mapping[str, Branch]
    completions: Branch
    late: int
    """Results that came too late, and were refused."""
    twice: int
    """Uploads that were told of twice."""
    struck: Sequence[Struck]
    phases: Mapping[str, tuple[float, float]]
    stalled: tuple[float, float]
    """While Scan took nothing in, in epoch seconds."""

    def buried(self, branch: str) -> set[str]:
        """Images that are its dead letters."""
        return {json.loads(letter.body)["detail"]["object"]["key"] for letter in self.branches[branch].dead_letters}

    def done(self, branch: str) -> list[float]:
        """When it was done with each message for good and for well, in epoch seconds."""
        found: dict[str, float] = {}
        for line in self.branches[branch].handled:
            if line.outcome in ("Succeeded", "Duplicate"):
                found.setdefault(line.message_id, line.at)
        return sorted(found.values())
