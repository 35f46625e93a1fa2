"""How pytest runs when it tries a mutant: the same examples each time, none made smaller, and what is fast comes first."""

import functools
import gc
from collections.abc import Sequence
from typing import Any

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


def pytest_runtest_setup() -> None:
    """Have every test call what it reaches: what is remembered was found out before there was a mutant, or by another test."""
    for remembering in _remembering():
        remembering.cache_clear()


@functools.cache
def _remembering() -> Sequence["functools._lru_cache_wrapper[Any]"]:
    """Functions of ours that remember what they returned."""
    found = [one for one in gc.get_objects() if isinstance(one, functools._lru_cache_wrapper)]
    return [
        one for one in found if one.__module__.partition(".")[0] in ("monitor", "schemas", "tests") and one.__module__ != __name__
    ]
