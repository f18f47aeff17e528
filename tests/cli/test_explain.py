"""What all commands of `explain` share; the kinds of what is explained have files of their own."""

import re
from pathlib import Path

import pytest

from palestra.cli.explain import checked_suffix, numbered
from tests.conftest import CommandLine


def test_names_come_before_numbers_and_near_names_are_offered() -> None:
    assert numbered("1", ["2", "1"], "class") == 1
    assert numbered("0", ["cat", "dog"], "class") == 0
    with pytest.raises(ValueError, match="did you mean cat"):
        numbered("cats", ["cat", "dog"], "class")
    with pytest.raises(ValueError, match="there is no class '2'; there are cat, dog"):
        numbered("2", ["cat", "dog"], "class")


def test_a_file_has_an_ending_that_can_be_written() -> None:
    assert checked_suffix(Path("a/x.html"), (".png", ".html")) == Path("a/x.html")
    with pytest.raises(ValueError, match=r"x.mp4 must end in .png or .html"):
        checked_suffix(Path("x.mp4"), (".png", ".html"))


def test_the_command_is_listed(palestra: CommandLine) -> None:
    assert re.search(r"^ +explain +show what a network looks at", palestra("--help")[1], re.MULTILINE)
