"""A scan of uploaded files for what no image holds: known signatures, programs, and a second file behind the first."""

import hashlib
from typing import Any

from uploads import uploaded

from serverless_patterns_runtime import Invocation

# The harmless string by which scanners are tested, in two parts, so that none takes this file for an infected one.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

ANYWHERE = {
    "eicar-test": EICAR,
    "php": b"<?php",
    "script": b"<script",
    "zip": b"PK\x03\x04",
    "pdf": b"%PDF-1.",
}
AT_THE_FRONT = {"windows-program": b"MZ", "elf-program": b"\x7fELF", "shell-script": b"#!"}


def scan(event: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    """A verdict on any file, also on one that is no image: that is what a scan is for."""
    return verdict(uploaded(event, invocation).content)


def verdict(content: bytes) -> dict[str, Any]:
    findings = [name for name, start in AT_THE_FRONT.items() if content.startswith(start)]
    lower = content.lower()
    findings += [name for name, part in ANYWHERE.items() if part.lower() in lower]
    findings += ["bytes-after-the-image"] * _goes_on(content)
    return {"clean": not findings, "findings": sorted(findings), "sha256": hashlib.sha256(content).hexdigest()}


def _goes_on(content: bytes) -> bool:
    """Whether a PNG or JPEG has more behind its end than a few bytes of padding. Other readers begin at the end."""
    ends = {b"\x89PNG\r\n\x1a\n": b"IEND\xaeB`\x82", b"\xff\xd8": b"\xff\xd9"}
    for start, end in ends.items():
        if content.startswith(start) and (at := content.rfind(end)) >= 0:
            return len(content[at + len(end) :].strip(b"\0\n\r ")) > 0
    return False
