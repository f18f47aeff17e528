"""GNU Go, the Go program that tests play with."""

import os
import shutil

import pytest

GAMES = "/usr/games"  # where Debian keeps it, outside the PATH of some users


def gnugo() -> str:
    """Returns where GNU Go is; the test is skipped where it is not installed."""
    path = shutil.which("gnugo", path=os.pathsep.join([os.environ.get("PATH", ""), GAMES]))
    if path is None:
        pytest.skip("gnugo is not installed")
    return path
