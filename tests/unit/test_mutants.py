"""Which surviving mutants need no word of their own."""

import pytest

from tests.mutants.survivors import Survivor, only_asserts_less


@pytest.mark.parametrize(
    ("was", "now", "less"),
    [
        ("zip(a, b, strict=True)", "zip(a, b, )", True),
        ("zip(a, b, strict=True)", "zip(a, b, strict=False)", True),
        ("dict(zip(a, b, strict=True))", "dict(zip(a, b, ))", True),
        ("strict=True,\n)", ")", True),
        ("strict=True,", "strict=False,", True),
        ("zip(a, b, strict=True)", "zip(a, None, strict=True)", False),
        ("zip(a, b, strict=True)", "zip(b, strict=True)", False),
        ("zip(a, b, strict=True)", "zip(a, strict=True)", False),
        ("f(a, b)", "f(a, )", False),
        ("f(a)", "f(a, )", False),
        ("x = zip(a, b, strict=True)", "x = None", False),
    ],
)
def test_a_zip_that_is_no_longer_strict_only_asserts_less(was: str, now: str, less: bool) -> None:
    assert only_asserts_less(Survivor("a.py", "f", was, now)) is less
