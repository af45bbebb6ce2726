import traceback

from serverless_patterns_runtime.telemetry import describe

CANARY = "4111 1111 1111 1111"


def raised() -> ValueError:
    try:
        int(CANARY)
    except ValueError as error:
        return error
    raise AssertionError


def test_an_error_is_described_by_type_and_place_and_not_by_its_text():
    description = describe(raised(), with_message=False)
    assert sorted(description) == ["error_location", "error_type"]
    assert description["error_type"] == "ValueError"
    (location,) = description["error_location"]
    line = traceback.extract_tb(raised().__traceback__)[0].lineno
    assert location == f"{__file__}:{line} raised"
    assert CANARY not in repr(description)


def test_the_text_comes_on_request():
    assert CANARY in describe(raised(), with_message=True)["error_message"]


def test_an_error_that_was_never_raised_has_no_place():
    assert describe(ValueError("x"), with_message=False) == {"error_type": "ValueError", "error_location": []}


def test_of_a_deep_stack_the_five_innermost_places_are_told():
    def dig(depth: int) -> None:
        if depth == 0:
            raise KeyError("deep")
        dig(depth - 1)

    try:
        dig(30)
    except KeyError as error:
        places = describe(error, with_message=False)["error_location"]
    assert len(places) == 5
    assert all(place.endswith(" dig") for place in places)


def test_causes_are_not_told():
    error = KeyError("outer")
    error.__cause__ = RuntimeError(CANARY)
    assert CANARY not in repr(describe(error, with_message=True))
