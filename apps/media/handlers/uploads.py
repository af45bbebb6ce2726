"""What was uploaded: which object an event is about, and its content, as far as one may look at it."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError

from serverless_patterns_runtime import Invocation, PermanentError

MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 24_000_000  # 96 MB once it is decoded: a few kilobytes can say that they are a hundred times as much
FORMATS = ("GIF", "JPEG", "PNG", "WEBP")  # Pillow reads dozens more, each with a parser of its own


@dataclass(frozen=True)
class Upload:
    name: str
    content: bytes


def uploaded(event: dict[str, Any], invocation: Invocation) -> Upload:
    """The object of an S3 event that came by EventBridge. Not there yet, or no more: another try."""
    name: Any = event.get("detail", {}).get("object", {}).get("key")
    if not isinstance(name, str) or not name:
        raise PermanentError("the message is no event of an upload")
    content = invocation.bucket("UPLOADS").get(name, most_bytes=MOST_BYTES)
    if content is None:
        raise LookupError("the uploaded object is not there")
    return Upload(name, content)


def opened(content: bytes) -> Image.Image:
    """The image, of which nothing but the header is read yet. PermanentError for what is none, or is too large."""
    if not content:
        raise PermanentError("the file is empty")
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise PermanentError(f"the file is no image that is taken ({', '.join(FORMATS)})") from None
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise PermanentError(f"an image has at most {MOST_PIXELS:,} pixels, this one says {width:,} x {height:,}")
    return image


def decoded(image: Image.Image) -> Image.Image:
    """The same with all its pixels. PermanentError when they are not all there."""
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError):  # what Pillow's decoders raise for broken data
        raise PermanentError("the image is broken: it cannot be decoded") from None
    return image
