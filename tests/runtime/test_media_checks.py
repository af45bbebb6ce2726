"""The media demo's checks: they hold when all went well, and each notices its harm. And its page shows every upload."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from gallery import checks, report
from gallery.outcome import METADATA, SCAN, THUMBNAIL, Gallery

from tests.runtime.media_gallery import CLOSED, OPENED, image, play


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return play()


def failing(seen: Gallery) -> set[str]:
    return {check.name for check in checks.check(seen) if not check.ok}


def with_branch(seen: Gallery, name: str, **changes: Any) -> Gallery:
    return replace(seen, branches={**seen.branches, name: replace(seen.branches[name], **changes)})


def with_row(seen: Gallery, name: str, **changes: Any) -> Gallery:
    row = {**seen.rows[image(name)], **changes}
    return replace(seen, rows={**seen.rows, image(name): row})


def without_row(seen: Gallery) -> Gallery:
    return replace(seen, rows=dict([*seen.rows.items()][1:]))


def end_twice(seen: Gallery) -> Gallery:
    lines = seen.completions.handled
    return replace(seen, completions=replace(seen.completions, handled=[*lines, lines[0]]))


def lose_a_scan(seen: Gallery) -> Gallery:
    return with_branch(seen, SCAN, handled=seen.branches[SCAN].handled[1:])


def lose_a_dead_letter(seen: Gallery) -> Gallery:
    return with_branch(seen, THUMBNAIL, dead_letters=seen.branches[THUMBNAIL].dead_letters[1:])


def forget_a_reason(seen: Gallery) -> Gallery:
    first, *others = seen.branches[THUMBNAIL].dead_letters
    return with_branch(seen, THUMBNAIL, dead_letters=[replace(first, reason=""), *others])


def lose_a_thumbnail(seen: Gallery) -> Gallery:
    return replace(seen, thumbnails=dict([*seen.thumbnails.items()][1:]))


def break_a_thumbnail(seen: Gallery) -> Gallery:
    return replace(seen, thumbnails={**seen.thumbnails, next(iter(seen.thumbnails)): b"no JPEG"})


def scan_while_standing_still(seen: Gallery) -> Gallery:
    lines = seen.branches[SCAN].handled
    return with_branch(seen, SCAN, handled=[replace(line, at=min(line.at, CLOSED + 1)) for line in lines])


def quarantine_nothing(seen: Gallery) -> Gallery:
    freed = {image: {**row, "status": row["status"].replace("QUARANTINED", "")} for image, row in seen.rows.items()}
    return replace(seen, rows=freed)


def wait_for_the_scan(seen: Gallery) -> Gallery:
    *lines, last = seen.branches[METADATA].handled
    return with_branch(seen, METADATA, handled=[*lines, replace(last, at=OPENED + 1)])


def forget_what_was_told_before(seen: Gallery) -> Gallery:
    lines = [
        replace(line, outcome=line.outcome.replace("Duplicate", "Succeeded")) for line in seen.branches[SCAN].handled
    ]
    return with_branch(seen, SCAN, handled=lines)


HARM: dict[Callable[[Gallery], Gallery], str] = {
    without_row: "uploads with one row in the catalogue",
    end_twice: "uploads that have ended, once each",
    lose_a_scan: "Scan: published = processed + dead-lettered",
    lose_a_dead_letter: "broken images dead-lettered",
    forget_a_reason: "dead letters with their reason",
    lose_a_thumbnail: "thumbnails of all images that can have one",
    break_a_thumbnail: "thumbnails of all images that can have one",
    scan_while_standing_still: "done by Scan while it stood still",
    quarantine_nothing: "infected uploads in quarantine",
    wait_for_the_scan: "done by Metadata meanwhile",
    forget_what_was_told_before: "known again by Scan",
}


def test_every_check_holds_when_nothing_went_wrong_but_what_was_to(gallery: Gallery) -> None:
    assert failing(gallery) == set()


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_harm_is_noticed(gallery: Gallery, harm: Callable[[Gallery], Gallery]) -> None:
    assert HARM[harm] in failing(harm(gallery))


@pytest.mark.parametrize(
    ("name", "changes", "noticed_by"),
    [
        ("picture-1-000.jpg", {"status": "INCOMPLETE"}, "rows that are complete, where nothing kept them"),
        ("empty.jpg", {"missing": []}, "rows that name what was missing at the deadline"),
        ("polyglot.jpg", {"status": "CATALOGUED"}, "infected uploads in quarantine"),
        ("picture-1-001.png", {"status": "QUARANTINED"}, "infected uploads in quarantine"),
        ("polyglot.jpg", {"thumbnail": "thumbnails/x"}, "rows that show what no scan has passed"),
        ("picture-2-000.jpg", {"thumbnail": "thumbnails/x"}, "rows that show what no scan has passed"),
    ],
)
def test_a_row_that_says_something_else_is_noticed(
    gallery: Gallery, name: str, changes: dict[str, Any], noticed_by: str
) -> None:
    assert noticed_by in failing(with_row(gallery, name, **changes))


@pytest.mark.parametrize(
    ("harm", "noticed_by"),
    [
        (lambda seen: replace(seen, late=0), "late results refused"),
        (lambda seen: with_branch(seen, SCAN, undelivered=1), "messages that SNS could not deliver"),
        (lambda seen: with_branch(seen, METADATA, left=1), "messages left in a queue"),
        (
            lambda seen: replace(
                seen, completions=replace(seen.completions, dead_letters=seen.branches[THUMBNAIL].dead_letters)
            ),
            "ends that could not be told of",
        ),
        (lambda seen: replace(seen, struck=[replace(seen.struck[0], fired=0)]), "fault fired: Answer <lost>"),
    ],
)
def test_what_is_left_or_never_struck_is_noticed(
    gallery: Gallery, harm: Callable[[Gallery], Gallery], noticed_by: str
) -> None:
    assert failing(harm(gallery)) == {noticed_by}


def test_the_page_has_a_card_for_each_upload_and_asks_for_nothing_from_outside(gallery: Gallery) -> None:
    page = report.page(gallery, checks.check(gallery), 'ran <here> & "now"')
    sheet = page.partition('class="sheet"')[2].partition("</section>")[0]
    assert sheet.count("<figure>") == len(gallery.uploads)
    shown = sum("thumbnail" in row for row in gallery.rows.values())
    assert sheet.count('src="data:image/jpeg;base64,') == shown > 0
    assert not re.search(r"https?://|src=\"(?!data:)|@import|url\((?!#)|<link", page)
    assert "ran &lt;here&gt;" in page
    assert "Answer &lt;lost&gt;" in page
    assert "missing: Scan" in sheet
    assert "found: eicar-test" in sheet
