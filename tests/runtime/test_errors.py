import copy
import pickle
from typing import Any

import pytest

from serverless_patterns_runtime import PermanentError, errors


class OutOfStock(PermanentError):
    pass


def test_permanent_errors_of_one_type_message_and_status_are_equal():
    assert PermanentError("no", status=409) == PermanentError("no", status=409)
    assert hash(PermanentError("no", status=409)) == hash(PermanentError("no", status=409))


@pytest.mark.parametrize(
    "other", [PermanentError("yes"), PermanentError("no", status=409), OutOfStock("no"), Exception("no"), "no", None]
)
def test_others_are_different(other: object):
    assert PermanentError("no") != other


def test_a_copy_is_equal():
    error = OutOfStock("no", status=409)
    assert pickle.loads(pickle.dumps(error)) == error
    assert copy.deepcopy(error) == error


def test_a_message_is_text_whatever_was_given():
    """It becomes a dead letter's reason; one that could not be written there would keep the message out of it."""
    assert PermanentError(404).message == "404"  # type: ignore[arg-type]
    assert PermanentError(ValueError("no")).message == "no"  # type: ignore[arg-type]


def test_a_subclass_that_forgets_to_call_super_still_has_a_message_and_equality():
    class Refused(PermanentError):
        def __init__(self, product: str) -> None:
            self.product = product

    assert Refused("chai").message == "chai"
    assert Refused("chai").status is None
    assert Refused("chai") == Refused("chai")
    assert Refused("chai") != Refused("chang")


TRIED_AGAIN = ("CircuitOpen", "NotNow", "PublishFailed", "Unsettled")


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name not in ("PermanentError", *TRIED_AGAIN)])
def test_our_own_errors_are_permanent(name: str):
    assert issubclass(getattr(errors, name), PermanentError)


@pytest.mark.parametrize("name", TRIED_AGAIN)
def test_what_may_pass_is_tried_again(name: str):
    assert not issubclass(getattr(errors, name), PermanentError)


@pytest.mark.parametrize("status", [0, 200, 302, 399, 600, 700, "404", 404.0, True])
def test_a_status_that_is_no_error_s_is_refused_where_it_is_written(status: Any):
    with pytest.raises(ValueError, match=r"^a PermanentError's status is a whole number from 400 to 599, got "):
        PermanentError("so", status=status)
    for allowed in (None, 400, 503, 599):
        assert PermanentError("so", status=allowed).status == allowed
