"""Images are put into a bucket, good ones and broken ones, while the scan stands still for some."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from images import Sample, broken, samples
from showing.fan_out import COMPLETIONS, FanOut, Struck, known_again
from showing.story import Story

from gallery.echo import echo
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
from serverless_patterns.testing import EmbeddedCloud, Fault, Injection

GOOD, UNSCANNED, TWICE = 20, 4, 4
SDK_ATTEMPTS = 3  # with fewer the SDK of a function would hide from it what was lost


@dataclass
class Uploading:
    cloud: EmbeddedCloud
    outputs: Mapping[str, str]
    """Of the stack."""
    tell: Callable[[str], None]
    good: int = GOOD
    _uploads: list[Upload] = field(default_factory=list)

    def play(self) -> Gallery:
        """What takes over a minute and a half is given up, and the checks tell."""
        topic = FanOut(self.cloud, self.outputs, BRANCHES)
        with topic.stopped_clock():
            return self._play(topic, Story(self.tell))

    def _play(self, topic: FanOut, story: Story) -> Gallery:
        begun = time.time()
        with story.phase(FIRST):
            self._put(samples(1, seed=3))
            story.wait(lambda: self._catalogued(topic), "the first image to be in the catalogue")
        faults = self._break(topic)
        with story.phase(WELL), echo(self.cloud, self.outputs["Topic"]) as heard:
            self._put([*samples(self.good), *broken()])
            story.wait(lambda: self._catalogued(topic), "the images to be in the catalogue")
            whole = [upload.image for upload in self._uploads[1:] if not upload.missing]
            twice = heard.repeat(whole[:TWICE])
            story.wait(lambda: self._known_again(topic) >= twice, "what is told of twice to be known again")
        topic.close(SCAN)
        closed = time.time()
        with story.phase(STALLED):
            told = len(self._uploads) + twice + UNSCANNED
            self._put(samples(UNSCANNED, seed=2), stalled=True)
            story.wait(lambda: self._settled(topic, METADATA, THUMBNAIL) >= told, "the others to look at the images")
        with story.phase(DEADLINE):
            story.wait(lambda: self._all_ended(topic), "the deadline to come to what is missing")
        with story.phase(LATE):
            opened = time.time()
            topic.open(SCAN)
            story.wait(topic.are_drained, "the late scans")
        rows = self._rows(topic)
        self.tell(f"{len(self._uploads)} uploads in {time.time() - begun:.1f} s: {len(rows)} rows in the catalogue")
        return Gallery(
            uploads=self._uploads,
            rows=rows,
            thumbnails=self._thumbnails(),
            branches={name: topic.branch(name) for name in BRANCHES},
            completions=topic.branch(COMPLETIONS),
            late=sum(map(len, topic.late().values())),
            twice=twice,
            struck=[Struck(name, how, injected.fired()) for name, (how, injected) in faults.items()],
            phases=story.phases,
            stalled=(closed, opened),
        )

    def _break(self, topic: FanOut) -> dict[str, tuple[str, Injection]]:
        """By name: what is broken on the wire, and its trap."""
        heads = {"resource": topic.fan_in_table}
        faults = {
            "Fan-in's answer lost": (
                "a result was recorded; the connection broke before the answer",
                Fault.lost_answer("dynamodb", "UpdateItem", times=SDK_ATTEMPTS, **heads),
            ),
            "Thumbnail's answer lost": (
                "a thumbnail was written; the connection broke before the answer",
                Fault.lost_answer("s3", "PutObject", times=1, resource=self.outputs["ThumbnailsBucket"]),
            ),
        }
        return {name: (how, self.cloud.faults.install(fault)) for name, (how, fault) in faults.items()}

    def _put(self, given: Iterable[Sample], *, stalled: bool = False) -> None:
        s3 = self.cloud.client("s3")
        for sample in given:
            s3.put_object(Bucket=self.outputs["UploadsBucket"], Key=INBOX + sample.name, Body=sample.content)
            self._uploads.append(Upload(sample, time.time(), stalled))

    def _rows(self, topic: FanOut) -> dict[str, dict[str, object]]:
        return {row["image"]: row for row in topic.rows(self.outputs["CatalogueTable"])}

    def _catalogued(self, topic: FanOut) -> bool:
        """Those that nothing keeps from it, and nothing is under way."""
        free = {upload.image for upload in self._uploads if not upload.missing}
        return free <= self._rows(topic).keys() and topic.are_drained()

    @staticmethod
    def _known_again(topic: FanOut) -> int:
        """By all branches."""
        return min(known_again(topic.handled(name)) for name in BRANCHES)

    def _all_ended(self, topic: FanOut) -> bool:
        topic.look_at_deadlines()
        return len(self._rows(topic)) >= len(self._uploads)

    @staticmethod
    def _settled(topic: FanOut, *branches: str) -> int:
        """Messages that all of these are done with, as they say themselves."""
        return min(len({line.message_id for line in topic.handled(name) if line.settled}) for name in branches)

    def _thumbnails(self) -> dict[str, bytes]:
        s3, bucket = self.cloud.client("s3"), self.outputs["ThumbnailsBucket"]
        listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}
