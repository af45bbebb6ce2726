"""The media app's functions, tested as their author would: no AWS, and every kind of upload there is."""

from io import BytesIO
from pathlib import Path
from typing import Any

import images
import pytest
import scanning
from cataloguing import CATALOGUED, INCOMPLETE, METADATA, QUARANTINED, SCAN, THUMBNAIL, catalogue
from hypothesis import given, settings
from hypothesis import strategies as st
from images import TEST_STRING, Sample, archive, bomb, broken, picture, samples, written
from metadata import metadata, read
from PIL import ExifTags, Image
from scanning import scan, verdict
from thumbnails import EDGE, made, thumbnail
from uploads import MOST_BYTES

from serverless_patterns_runtime import Completion, Effects, Invocation, PermanentError, Put
from serverless_patterns_runtime.testing import Table, commit

SAMPLES = [*samples(12), *broken()]
GOOD = [*samples(12)]

every = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def event(name: str) -> dict[str, Any]:
    return {"source": "aws.s3", "detail": {"bucket": {"name": "uploads"}, "object": {"key": name, "size": 1}}}


class Buckets:
    def __init__(self, *uploads: Sample) -> None:
        self.uploads = {sample.name: sample.content for sample in uploads}
        self.thumbnails: dict[str, bytes] = {}
        self.invocation = Invocation.fake(buckets={"UPLOADS": self.uploads, "THUMBNAILS": self.thumbnails})


def results(sample: Sample) -> dict[str, Any]:
    """Of the branches that do not fail."""
    buckets, found = Buckets(sample), dict[str, Any]()
    for name, function in ((THUMBNAIL, thumbnail), (METADATA, metadata), (SCAN, scan)):
        try:
            found[name] = function(event(sample.name), buckets.invocation)
        except PermanentError:
            assert name == THUMBNAIL, "only a thumbnail can be impossible"
    return found


def completion(name: str, found: dict[str, Any]) -> Completion:
    missing = sorted({THUMBNAIL, METADATA, SCAN} - found.keys())
    return Completion(
        key=name,
        outcome="deadline" if missing else "complete",
        results=found,
        missing=missing,
        message=event(name),
    )


def row_of(sample: Sample, found: dict[str, Any]) -> dict[str, Any]:
    table = Table(key=("image",))
    commit(catalogue(completion(sample.name, found)), {"CATALOGUE": table})
    (row,) = table.items
    return row


@every
def test_an_upload_is_catalogued_as_what_it_is(sample: Sample) -> None:
    found = results(sample)
    assert (THUMBNAIL in found) == sample.thumbnail
    row = row_of(sample, found)
    assert (row["image"], row["status"]) == (sample.name, sample.status)
    assert ("thumbnail" in row) == (sample.thumbnail and sample.status != QUARANTINED)


def test_the_same_uploads_are_made_on_every_run_and_no_two_are_the_same() -> None:
    assert [*samples(12), *broken()] == SAMPLES
    assert len({sample.content for sample in SAMPLES}) == len({sample.name for sample in SAMPLES}) == len(SAMPLES)
    assert {sample.content for sample in samples(8, seed=2)}.isdisjoint(sample.content for sample in GOOD)


# Thumbnails.


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.name)
def test_a_thumbnail_fits_keeps_its_proportions_and_says_nothing_of_the_camera(sample: Sample) -> None:
    buckets = Buckets(sample)
    told = thumbnail(event(sample.name), buckets.invocation)
    small = Image.open(BytesIO(buckets.thumbnails[told["key"]]))
    large = Image.open(BytesIO(sample.content))
    assert (small.format, small.size) == ("JPEG", (told["width"], told["height"]))
    assert max(small.size) == EDGE
    assert small.width * large.height == pytest.approx(small.height * large.width, rel=0.02)
    assert dict(small.getexif()) == {}


def test_made_again_it_is_the_same_object() -> None:
    buckets = Buckets(GOOD[0])
    first = thumbnail(event(GOOD[0].name), buckets.invocation)
    content = dict(buckets.thumbnails)
    assert thumbnail(event(GOOD[0].name), buckets.invocation) == first
    assert buckets.thumbnails == content


def test_a_small_image_is_not_blown_up() -> None:
    small, _ = made(written(picture(1, (40, 30)), "PNG"))
    assert small.size == (40, 30)


def test_an_image_lies_as_it_was_held() -> None:
    image, exif, buffer = picture(1, (300, 200)), Image.Exif(), BytesIO()
    exif[ExifTags.Base.Orientation] = 6
    image.save(buffer, "JPEG", exif=exif)
    small, _ = made(buffer.getvalue())
    assert small.width < small.height


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_any_mode_becomes_a_jpeg_and_what_is_transparent_white(mode: str) -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0)) if mode == "RGBA" else Image.new(mode, (20, 20))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    small, _ = made(buffer.getvalue())
    assert small.mode == "RGB"
    if mode == "RGBA":
        assert small.getpixel((5, 5)) == (255, 255, 255)


# Limits.


def test_a_bomb_is_refused_by_what_it_says_before_a_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("decoded"))
    for edge in (5_000, 60_000, 2**31 - 1):
        with pytest.raises(PermanentError, match=r"at most 24,000,000 pixels|no image that is taken"):
            made(bomb(edge))
        assert not read("bomb.png", bomb(edge))["readable"]


def test_a_file_that_is_too_large_is_not_read() -> None:
    large = Sample("large.jpg", b"x" * (MOST_BYTES + 1), "", False)
    with pytest.raises(PermanentError, match="at most 20,971,520 are read"):
        scan(event("large.jpg"), Buckets(large).invocation)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM"])
def test_a_format_that_nobody_asked_for_is_not_parsed(kind: str) -> None:
    buffer = BytesIO()
    picture(1, (64, 64)).save(buffer, kind)
    with pytest.raises(PermanentError, match="no image that is taken"):
        made(buffer.getvalue())


@pytest.mark.parametrize("function", [thumbnail, metadata, scan])
def test_an_object_that_is_not_there_yet_is_tried_again_and_no_event_is_not(function: Any) -> None:
    with pytest.raises(LookupError):
        function(event("nowhere.jpg"), Buckets().invocation)
    for wrong in ({}, {"detail": {}}, {"detail": {"object": {}}}, {"detail": {"object": {"key": 7}}}):
        with pytest.raises(PermanentError, match="no event of an upload"):
            function(wrong, Buckets().invocation)


@settings(max_examples=60)
@given(
    sample=st.sampled_from(SAMPLES[:4]),
    start=st.integers(0, 60_000),
    noise=st.binary(max_size=60),
    cut=st.integers(0, 99),
)
def test_whatever_is_done_to_an_image_it_is_read_or_refused(sample: Sample, start: int, noise: bytes, cut: int) -> None:
    at = start % len(sample.content)
    content = sample.content[:at] + noise + sample.content[at + len(noise) :]
    content = content[: len(content) - cut * len(content) // 100]
    told = read(sample.name, content)
    assert told["bytes"] == len(content)
    try:
        made(content)
    except PermanentError:
        assert not told["readable"] or told["frames"] > 1
    verdict(content)


# Metadata.


def test_of_an_image_size_mode_format_and_a_few_tags_are_kept() -> None:
    assert read("picture.jpg", written(picture(1, (64, 48)), "JPEG")) == {
        "readable": True,
        "width": 64,
        "height": 48,
        "mode": "RGB",
        "format": "JPEG",
        "frames": 1,
        "misnamed": False,
        "exif": {"make": "Northwind", "model": "Pinhole 7", "datetime": "2026:11:21 18:20:00", "has_place": True},
        "bytes": len(written(picture(1, (64, 48)), "JPEG")),
    }


def test_what_somebody_wrote_into_a_tag_is_short_and_printable() -> None:
    exif, buffer = Image.Exif(), BytesIO()
    exif[ExifTags.Base.Make] = "a\x1b[31m\n" + "b" * 500
    picture(1, (64, 48)).save(buffer, "JPEG", exif=exif)
    make = read("a.jpg", buffer.getvalue())["exif"]["make"]
    assert make.isprintable()
    assert len(make) <= 80


def test_a_name_that_says_another_format_is_told() -> None:
    assert read("a.jpg", written(picture(1, (64, 48)), "PNG"))["misnamed"]
    assert not read("a.JPEG", written(picture(1, (64, 48)), "JPEG"))["misnamed"]


# Scans.


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (b"", []),
        (TEST_STRING, ["eicar-test"]),
        (b"x" * 1000 + TEST_STRING.lower(), ["eicar-test"]),
        (b"MZ\x90\0", ["windows-program"]),
        (b"\x7fELF\2", ["elf-program"]),
        (b"#!/bin/sh\n", ["shell-script"]),
        (b"GIF89a<SCRIPT>", ["script"]),
        (b"GIF89a<?php echo 1;", ["php"]),
    ],
)
def test_a_known_signature_is_found(content: bytes, findings: list[str]) -> None:
    told = verdict(content)
    assert (told["clean"], told["findings"]) == (not findings, findings)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_second_file_behind_an_image_is_found_and_padding_is_none(kind: str) -> None:
    image = written(picture(1, (64, 48)), kind)
    assert verdict(image)["clean"]
    assert verdict(image + b"\0\0\r\n")["clean"]
    assert verdict(image + archive())["findings"] == ["bytes-after-the-image", "zip"]
    assert verdict(image + b"more")["findings"] == ["bytes-after-the-image"]


# The catalogue.


def test_a_row_is_one_effect_and_its_result_says_what_became_of_the_upload() -> None:
    effects = catalogue(completion(GOOD[0].name, results(GOOD[0])))
    assert effects == Effects(
        writes=[
            Put(
                "CATALOGUE",
                {
                    "image": GOOD[0].name,
                    "status": CATALOGUED,
                    "missing": [],
                    "findings": [],
                    "width": 640,
                    "height": 480,
                    "format": "JPEG",
                    "misnamed": False,
                    "thumbnail": f"thumbnails/{GOOD[0].name}.jpg",
                },
            )
        ],
        result={"image": GOOD[0].name, "status": CATALOGUED},
    )


@pytest.mark.parametrize("missing", [{THUMBNAIL}, {METADATA}, {SCAN}, {THUMBNAIL, METADATA, SCAN}])
def test_at_the_deadline_the_row_names_what_is_missing(missing: set[str]) -> None:
    found = {name: result for name, result in results(GOOD[0]).items() if name not in missing}
    row = row_of(GOOD[0], found)
    assert (row["status"], row["missing"]) == (INCOMPLETE, sorted(missing))


def test_what_is_found_harmful_is_quarantined_whatever_else_is_missing() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "test-string.jpg")
    assert row_of(sample, {SCAN: results(sample)[SCAN]})["status"] == QUARANTINED


def test_the_test_string_is_in_no_file_as_it_is() -> None:
    """Else a scanner would take the repository for an infected one."""
    for module in (images, scanning):
        assert TEST_STRING not in Path(str(module.__file__)).read_bytes()
