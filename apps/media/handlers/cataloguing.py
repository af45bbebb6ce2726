"""The catalogue: one row an upload, once all that looked at it have had their say, or their time."""

from typing import Any

from serverless_patterns_runtime import Completion, Effects, Put

THUMBNAIL, METADATA, SCAN = "Thumbnail", "Metadata", "Scan"  # the topic's subscribers

CATALOGUED, QUARANTINED, UNREADABLE, INCOMPLETE = "CATALOGUED", "QUARANTINED", "UNREADABLE", "INCOMPLETE"


def catalogue(completion: Completion) -> Effects:
    """At the deadline too: what is missing then is in the row, by name."""
    name = completion.message["detail"]["object"]["key"]
    seen, scanned = completion.results.get(METADATA, {}), completion.results.get(SCAN)
    row: dict[str, Any] = {
        "image": name,
        "status": status(completion),
        "missing": list(completion.missing),
        "findings": scanned["findings"] if scanned else [],
        **{fact: seen[fact] for fact in ("width", "height", "format", "misnamed", "problem") if fact in seen},
    }
    if scanned and scanned["clean"] and THUMBNAIL in completion.results:
        row["thumbnail"] = completion.results[THUMBNAIL]["key"]  # nobody is to look at what may be harmful
    return Effects(writes=[Put("CATALOGUE", row)], result={"image": name, "status": row["status"]})


def status(completion: Completion) -> str:
    """The worst that is known. What nobody has scanned is not shown either."""
    scanned, seen = completion.results.get(SCAN), completion.results.get(METADATA)
    if scanned is not None and not scanned["clean"]:
        return QUARANTINED
    if seen is not None and not seen["readable"]:
        return UNREADABLE
    return CATALOGUED if completion.outcome == "complete" else INCOMPLETE
