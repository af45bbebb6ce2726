"""What an uploaded image says of itself: size, mode, format and a few of its EXIF tags."""

from pathlib import PurePosixPath
from typing import Any

from PIL import ExifTags, Image
from uploads import decoded, opened, uploaded

from serverless_patterns_runtime import Invocation, PermanentError

SUFFIXES = {"GIF": (".gif",), "JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WEBP": (".webp",)}
SHOWN = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.DateTime, ExifTags.Base.Orientation)
MOST_CHARACTERS = 80  # of a text; who took the picture may have written anything there


def metadata(event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    """Of what cannot be read, why: for a catalogue that is an answer too."""
    upload = uploaded(event, invocation)
    return read(upload.name, upload.content)


def read(name: str, content: bytes) -> dict[str, Any]:
    try:
        image = opened(content)
        said = _said(name, image)
        decoded(image)
    except PermanentError as error:
        return {"readable": False, "problem": error.message, "bytes": len(content)}
    return {"readable": True, **said, "bytes": len(content)}


def _said(name: str, image: Image.Image) -> dict[str, Any]:
    kind = str(image.format)
    return {
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        "format": kind,
        "frames": int(getattr(image, "n_frames", 1)),
        "misnamed": PurePosixPath(name).suffix.lower() not in SUFFIXES[kind],
        "exif": _exif(image),
    }


def _exif(image: Image.Image) -> dict[str, Any]:
    """A few tags; of a place only that there is one: where somebody lives is nobody's to keep."""
    try:
        found = image.getexif()
        shown = {tag.name.lower(): _plain(found[tag]) for tag in SHOWN if tag in found}
        place = bool(found.get_ifd(ExifTags.IFD.GPSInfo))
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):  # broken tags do not make a broken image
        return {}
    return shown | ({"has_place": True} if place else {})


def _plain(value: Any) -> Any:
    if isinstance(value, int):
        return value
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return "".join(character for character in text if character.isprintable())[:MOST_CHARACTERS].strip()
