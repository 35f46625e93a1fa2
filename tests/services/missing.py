"""What to do when a program that a test needs is not on this machine: fail in CI, be seen to skip elsewhere."""

import os
import shutil
from typing import NoReturn

import pytest


class ServiceMissing(Exception):
    """A program is not installed; the message says which, and how to get it."""


def missing(what: str, word: str) -> NoReturn:
    """Give up for want of `what`, which `ops/install-debian.sh WORD` would install."""
    sentence = f"{what} is not installed; on Debian: ops/install-debian.sh {word}"
    if "PYTEST_VERSION" in os.environ and not os.environ.get("CI"):
        pytest.skip(sentence)
    raise ServiceMissing(sentence)


def program(name: str, word: str) -> str:
    """The path of a program, or give up as `missing` does."""
    return shutil.which(name) or missing(name, word)
