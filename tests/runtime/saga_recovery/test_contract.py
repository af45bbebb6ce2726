"""Names of recoveries: each belongs to one execution and one attempt, and fits."""

from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.saga_recovery.contract import MOST_NAME, recovery_name

names = st.text("abc-12", min_size=1, max_size=MOST_NAME) | st.text("ab", min_size=70, max_size=MOST_NAME)
attempts = st.integers(1, 10**4)


@given(names, attempts)
def test_a_name_fits(execution: str, attempt: int) -> None:
    assert 0 < len(recovery_name(execution, attempt)) <= MOST_NAME


@given(st.tuples(names, attempts), st.tuples(names, attempts))
def test_no_two_have_one_name(first: tuple[str, int], second: tuple[str, int]) -> None:
    assert (recovery_name(*first) == recovery_name(*second)) == (first == second)


def test_a_name_that_looks_like_a_recovery_s_is_none() -> None:
    assert recovery_name("order-7", 2) == "order-7-2"
    assert recovery_name("order-7-2", 1) == "order-7-2-1"


def test_a_name_that_is_cut_is_no_name_that_fits() -> None:
    long = recovery_name("a" * MOST_NAME, 1)
    assert len(long) == MOST_NAME
    assert recovery_name(long.rsplit("-", 1)[0], 1) != long
