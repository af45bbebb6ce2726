"""What must hold of the uploads, whatever happened to a function. Each check compares two places."""

from showing.check import Check, at_least, equal

from gallery.outcome import BRANCHES, METADATA, SCAN, THUMBNAIL, Gallery, Upload


def check(seen: Gallery) -> list[Check]:
    return [
        *_catalogue(seen),
        *[_conservation(seen, name) for name in BRANCHES],
        *_thumbnails(seen),
        *_standstill(seen),
        *_echo(seen),
        *_left(seen),
        *[at_least(f"fault fired: {one.name}", one.fired, 1) for one in seen.struck],
    ]


def _catalogue(seen: Gallery) -> list[Check]:
    images = {upload.image for upload in seen.uploads}
    ends = [line for line in seen.completions.handled if line.outcome == "Succeeded"]
    whole = [upload for upload in seen.uploads if not upload.missing]
    missing = [upload for upload in seen.uploads if upload.missing]
    harmful = {upload.image for upload in seen.uploads if upload.status == "QUARANTINED"}
    quarantined = {image for image, row in seen.rows.items() if row["status"] == "QUARANTINED"}
    unsafe = [upload for upload in seen.uploads if upload.image in harmful or upload.stalled]
    return [
        Check("uploads with one row in the catalogue", seen.rows.keys() == images, len(seen.rows), len(images)),
        equal("uploads that have ended, once each", len(ends), len(images)),
        equal("rows that are complete, where nothing kept them", sum(_right(seen, it) for it in whole), len(whole)),
        equal("rows that name what was missing at the deadline", sum(_right(seen, it) for it in missing), len(missing)),
        Check("infected uploads in quarantine", quarantined == harmful, len(quarantined), len(harmful)),
        equal("rows that show what no scan has passed", sum(_shows(seen, it) for it in unsafe), 0),
    ]


def _conservation(seen: Gallery, name: str) -> Check:
    """One message for each upload, and another one for each that was told of twice."""
    processed, dead, published = len(seen.done(name)), len(seen.buried(name)), len(seen.uploads) + seen.twice
    return Check(
        f"{name}: published = processed + dead-lettered",
        processed + dead == published > 0,
        processed + dead,
        published,
    )


def _thumbnails(seen: Gallery) -> list[Check]:
    """Of every image that has one, a JPEG; of what is none, a dead letter with its reason."""
    can = {f"thumbnails/{upload.image}.jpg" for upload in seen.uploads if upload.sample.thumbnail}
    cannot = {upload.image for upload in seen.uploads if not upload.sample.thumbnail}
    made = {key for key, content in seen.thumbnails.items() if content.startswith(b"\xff\xd8")}
    buried = seen.buried(THUMBNAIL)
    reasons = [letter.reason for letter in seen.branches[THUMBNAIL].dead_letters]
    whole = made == can == seen.thumbnails.keys()
    return [
        Check("thumbnails of all images that can have one", whole, len(made), len(can)),
        Check("broken images dead-lettered", buried == cannot, len(buried), len(cannot)),
        equal("dead letters with their reason", sum(map(bool, reasons)), len(reasons)),
    ]


def _standstill(seen: Gallery) -> list[Check]:
    """By counts: how long the others took stands in the report."""
    begin, end = seen.stalled
    stalled = sum(upload.stalled for upload in seen.uploads)
    during = {name: sum(begin <= at < end for at in seen.done(name)) for name in BRANCHES}
    return [
        equal("done by Scan while it stood still", during[SCAN], 0),
        *[equal(f"done by {name} meanwhile", during[name], stalled) for name in (THUMBNAIL, METADATA)],
        Check("late results refused", seen.late == stalled > 0, seen.late, stalled),
    ]


def _echo(seen: Gallery) -> list[Check]:
    """That each is in the catalogue once, and has ended once, stands above."""
    return [
        at_least("uploads told of twice", seen.twice, 1),
        *[at_least(f"known again by {name}", seen.branches[name].known_again, seen.twice) for name in BRANCHES],
    ]


def _left(seen: Gallery) -> list[Check]:
    everybody = [*seen.branches.values(), seen.completions]
    return [
        equal("ends that could not be told of", len(seen.completions.dead_letters), 0),
        equal("messages that SNS could not deliver", sum(one.undelivered for one in everybody), 0),
        equal("messages left in a queue", sum(one.left for one in everybody), 0),
    ]


def _right(seen: Gallery, upload: Upload) -> bool:
    row = seen.rows.get(upload.image, {})
    return row.get("status") == upload.status and row.get("missing") == upload.missing


def _shows(seen: Gallery, upload: Upload) -> bool:
    return "thumbnail" in seen.rows.get(upload.image, {})
