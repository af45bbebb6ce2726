"""Uploads to drive the app with: images that are the same on every run, and files that are broken on purpose.

Harmless all of them: what looks like a threat is the antivirus industry's own test string, or an empty archive.
"""

import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from PIL import ExifTags, Image, ImageDraw

SIZES = ((640, 480), (480, 640), (1024, 768), (300, 300), (1280, 720))
FORMATS = (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif"))

# In two parts, so that no scanner takes this file, or the repository, for an infected one.
TEST_STRING = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Sample(NamedTuple):
    name: str
    content: bytes
    status: str
    """What the catalogue is to say of it."""
    thumbnail: bool
    """Whether one can be made."""


def samples(number: int, seed: int = 1) -> Iterator[Sample]:
    """Good ones, of all formats and several sizes."""
    for at in range(number):
        kind, suffix = FORMATS[at % len(FORMATS)]
        content = written(picture(seed * 10_007 + at, SIZES[at % len(SIZES)]), kind)
        yield Sample(f"picture-{seed}-{at:03}.{suffix}", content, "CATALOGUED", True)


def broken() -> Iterator[Sample]:
    """One of each kind, with what has to come of it."""
    whole = written(picture(7, (400, 300)), "JPEG")
    yield Sample("empty.jpg", b"", "UNREADABLE", False)
    yield Sample("truncated.jpg", whole[: len(whole) // 2], "UNREADABLE", False)
    yield Sample("text.png", b"This is no image.\n" * 40, "UNREADABLE", False)
    yield Sample("bomb.png", bomb(60_000), "UNREADABLE", False)
    yield Sample("a-png.jpg", written(picture(8, (300, 200)), "PNG"), "CATALOGUED", True)
    yield Sample("polyglot.jpg", whole + archive(), "QUARANTINED", True)
    yield Sample("test-string.jpg", TEST_STRING, "QUARANTINED", False)
    yield Sample("test-string-inside.png", commented(TEST_STRING), "QUARANTINED", True)


def picture(seed: int, size: tuple[int, int]) -> Image.Image:
    """Circles on a gradient: no two seeds give the same."""
    chance = random.Random(seed)
    width, height = size
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image = Image.blend(image, Image.new("RGB", size, _colour(chance)), 0.5)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, radius = chance.randrange(width), chance.randrange(height), chance.randrange(5, min(size) // 3)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(chance))
    return image


def written(image: Image.Image, kind: str) -> bytes:
    """With a camera's tags, where the format has them."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Northwind", "Pinhole 7"
    exif[ExifTags.Base.DateTime] = "2026:11:21 18:20:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    buffer = BytesIO()
    image.save(buffer, kind, **({} if kind == "GIF" else {"exif": exif}))
    return buffer.getvalue()


def bomb(edge: int) -> bytes:
    """A PNG of a few bytes that says it has `edge` x `edge` pixels."""
    header = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def commented(comment: bytes) -> bytes:
    """A whole image with these bytes in a comment."""
    plain = written(picture(9, (64, 64)), "PNG")
    end = plain.rindex(_chunk(b"IEND", b""))
    return plain[:end] + _chunk(b"tEXt", b"Comment\0" + comment) + plain[end:]


def archive() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("readme.txt", (2026, 11, 21, 0, 0, 0)), "nothing")
    return buffer.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)
