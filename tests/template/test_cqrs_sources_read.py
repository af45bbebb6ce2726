"""Which `build` is refused for what it reads: as people write it, right and wrong."""

from pathlib import Path

import pytest

from serverless_patterns import Handler
from serverless_patterns._checks import Problems
from serverless_patterns._cqrs_table.sources_read import check_sources_read

REFUSED = {
    "returned": "return list(sources.rows('Returns'))",
    "by its keyword": "return list(sources.rows(view='Returns'))",
    "as another kind": "return list(sources.totals('ByCustomer'))",
    "in a test": """
    if any(sources.rows("Returns")):
        return {}
    return {"none": True}""",
    "what a loop is over": """
    found = []
    for row in sources.rows("Returns"):
        found.append(row)
    return found""",
    "what a comprehension is over": "return {'all': [row for row in sources.rows('Returns') if row]}",
    "a keyword of a call": "return dict(all=sorted(sources.rows('Returns'), key=len))",
    "before a condition": """
    returns = [*sources.rows("Returns")]
    if THERE:
        return {}
    return returns""",
}
NOT_REFUSED = {
    "a source": "return list(sources.rows('ByCustomer'))",
    "behind a condition": """
    if THERE:
        return list(sources.rows("Returns"))
    return []""",
    "after a condition": """
    if not THERE:
        return []
    return list(sources.rows("Returns"))""",
    "in one of two": "return list(sources.rows('Returns')) if THERE else []",
    "after an and": "return THERE and list(sources.rows('Returns'))",
    "tried": """
    try:
        return list(sources.rows("Returns"))
    except KeyError:
        return []""",
    "suppressed": """
    with suppress(KeyError):
        return list(sources.rows("Returns"))
    return []""",
    "in a loop": """
    found = []
    for name in NAMES:
        found += sources.rows("Returns")
    return found""",
    "for each of a comprehension": "return [list(sources.rows('Returns')) for name in NAMES]",
    "a function's own": """
    def inner(sources):
        return sources.rows("Elsewhere")
    return {}""",
    "a lambda's own": "return {'later': apply(lambda sources: sources.rows('Elsewhere'))}",
    "another thing by then": """
    sources = other(sources)
    return list(sources.rows("Elsewhere"))""",
    "another function by then": """
    def sources(): ...
    return sources.rows("Elsewhere")""",
}
DEFINED = {
    "the first of two": "def build(sources):\n    return sources.rows('Old')\n\n\ndef build(sources):\n    return {}",
    "decorated": "@of_other_sources\ndef build(sources):\n    return sources.rows('Old')",
    "one of two": "if THERE:\n    def build(sources):\n        return sources.rows('Old')",
    "replaced": "def build(sources):\n    return sources.rows('Old')\n\n\nbuild = another(build)",
}


def told(folder: Path, source: str) -> str:
    (folder / "selling.py").write_text(source)
    problems = Problems("Shop/Orders")
    check_sources_read(problems, Handler(folder, "selling:build"), {"ByCustomer": "rows"})
    try:
        problems.raise_any()
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_a_build_that_surely_reads_what_is_no_source_is_refused(body: str, tmp_path: Path) -> None:
    text = told(tmp_path, f"def build(sources):\n    {body.strip()}\n")
    assert "must hold the view 'Returns' of" in text or "must read 'ByCustomer' as what it is" in text


@pytest.mark.parametrize("body", NOT_REFUSED.values(), ids=NOT_REFUSED)
def test_a_build_that_may_be_right_is_not_refused(body: str, tmp_path: Path) -> None:
    assert told(tmp_path, f"def build(sources):\n    {body.strip()}\n") == ""


@pytest.mark.parametrize("source", DEFINED.values(), ids=DEFINED)
def test_what_may_not_be_the_build_that_runs_is_not_read(source: str, tmp_path: Path) -> None:
    assert told(tmp_path, f"{source}\n") == ""


def test_of_two_definitions_the_second_counts(tmp_path: Path) -> None:
    source = "def build(sources):\n    return {}\n\n\ndef build(sources):\n    return sources.rows('New')\n"
    assert "must hold the view 'New'" in told(tmp_path, source)
