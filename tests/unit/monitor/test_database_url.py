"""What a database URL is, and that no message ever holds its secrets."""

import pytest

from monitor.ledger.database import make_engine
from monitor.ledger.database_url import shown_url
from schemas.errors import HipwatchError

SECRET = "s3cret"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://hip:{SECRET}@db:/ledger",
        f"postgresql+psycopg://hip:{SECRET}@db:port/ledger",
        f"postgresql+psycopg://hip:{SECRET}@db:99999/ledger",
        f"postgresql+psycopg://hip:{SECRET}@[::1/ledger",
        f"postgres//hip:{SECRET}@db/ledger",
        f"hip:{SECRET}@db/ledger",
        f"sqlite://hip:{SECRET}@db/ledger",
        f"sqlite:///postgresql://hip:{SECRET}@db/ledger",
        f"nonsense://hip:{SECRET}@db/ledger",
        f"mysql://hip:{SECRET}@db/ledger",
        f"postgresql+psycopg://hip@db/ledger?password={SECRET}",
        "  ",
    ],
)
def test_a_malformed_url_is_one_sentence_that_does_not_quote_it(url: str) -> None:
    with pytest.raises(HipwatchError) as caught:
        make_engine(url)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [f"postgresql+psycopg://hip:{SECRET}@db:5432/ledger", f"postgresql+psycopg://hip@db/ledger?pass={SECRET}&sslmode=require"],
)
def test_a_url_is_shown_without_its_secrets(url: str) -> None:
    assert SECRET not in shown_url(url)
    assert "hip" in shown_url(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_short_names_of_postgresql_mean_the_driver_that_is_here(scheme: str) -> None:
    assert make_engine(f"{scheme}://hip@db/ledger").dialect.driver == "psycopg"
