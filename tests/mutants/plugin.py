"""How pytest runs when it tries a mutant: the same examples each time, none made smaller, and what is fast comes first."""

import pytest
from hypothesis import Phase, settings


def pytest_configure() -> None:
    settings.register_profile(
        "mutants",
        settings(),
        derandomize=True,
        database=None,
        max_examples=30,
        phases=(Phase.explicit, Phase.generate),
        print_blob=False,
    )
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False)))
