"""A thumbnail of each uploaded image. Made again it is the same, under the same name."""

from io import BytesIO
from typing import Any

from PIL import Image, ImageOps
from uploads import decoded, opened, uploaded

from serverless_patterns_runtime import Invocation

EDGE = 256
QUALITY = 80
BACKGROUND = (255, 255, 255)  # JPEG has no transparency


def thumbnail(event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    """Where it is and how large. PermanentError for what is no image: a dead letter, and no thumbnail."""
    upload = uploaded(event, invocation)
    small, content = made(upload.content)
    name = f"thumbnails/{upload.name}.jpg"
    invocation.bucket("THUMBNAILS").put(name, content, content_type="image/jpeg")
    return {"key": name, "width": small.width, "height": small.height, "bytes": len(content)}


def made(content: bytes) -> tuple[Image.Image, bytes]:
    """At most 256 pixels wide and high, upright, without any of the original's metadata."""
    image = opened(content)
    image.draft("RGB", (EDGE, EDGE))  # JPEG: decoded at a fraction of its size
    upright = ImageOps.exif_transpose(decoded(image))
    upright.thumbnail((EDGE, EDGE))
    opaque = upright.convert("RGBA")
    small = Image.new("RGB", opaque.size, BACKGROUND)
    small.paste(opaque, mask=opaque.getchannel("A"))
    written = BytesIO()
    small.save(written, "JPEG", quality=QUALITY)
    return small, written.getvalue()
