"""What may be the id of an event or a series."""

from datetime import date, timedelta

import pytest

from schemas.codec.identifiers import PUNCTUATION, is_identifier

WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]


def number(born: str = "19491001", region: str = "110105", order: str = "002", off: int = 0) -> str:
    """A citizen's identity number by GB 11643-1999, with its check digit, or one that lies so far off."""
    digits = f"{region}{born}{order}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return digits + "10X98765432"[(total + off) % 11]


def test_the_example_of_the_standard_is_made_here() -> None:
    assert number("19491231") == "11010519491231002X"


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "0",
        "documents-1",
        "9f8b6c1e-4d0a-4a3e-9a41-1d1f4f1c2b3a",
        "2024/09/10:0001",
        f"x{PUNCTUATION}",
        "a" * 200,
        "1" * 17,
    ],
)
def test_letters_digits_and_some_punctuation_are_an_identifier(text: str) -> None:
    assert is_identifier(text)


@pytest.mark.parametrize("text", ["", "-a", ".a", "a b", "a\n", "张三", "a" * 201, "a;b", "a'b", "é", "a\x1b[31m", "١"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_identifier(text)


@pytest.mark.parametrize("text", ["{}", "{}-1", "a{}", "upload/{}/2", "{}.{}", "123456789-{}"])
def test_an_identity_number_is_refused_wherever_it_stands(text: str) -> None:
    assert not is_identifier(text.replace("{}", number()))
    assert not is_identifier(text.replace("{}", number("19491231").lower()))
    assert is_identifier(text.replace("{}", number(off=1))), "its check digit is another"


def test_the_second_of_two_numbers_is_seen() -> None:
    assert not is_identifier(f"{number(off=1)}/{number()}")


def test_every_check_digit_counts() -> None:
    for day in range(60):
        born = (date(1980, 1, 1) + timedelta(days=day)).strftime("%Y%m%d")
        assert not is_identifier(number(born))
        assert all(is_identifier(number(born, off=off)) for off in range(1, 11))


@pytest.mark.parametrize(
    ("born", "refused"),
    [
        ("18991231", False),
        ("19000101", True),
        ("20991231", True),
        ("21000101", False),
        ("19491301", False),
        ("19491032", False),
        ("20000229", True),
        ("20010229", False),
    ],
)
def test_only_a_day_on_which_somebody_may_be_born_makes_an_identity_number(born: str, refused: bool) -> None:
    assert is_identifier(number(born)) is not refused


@pytest.mark.parametrize("text", [f"1{number()}", f"{number()}1", number(region="910105"), number(region="010105")])
def test_a_longer_number_or_one_of_no_region_is_nobodys(text: str) -> None:
    assert is_identifier(text)
