from dataclasses import dataclass, field

import pytest

from palestra.cli.options import key_values, parse


@dataclass(frozen=True)
class Inner:
    """Inner."""

    learning_rate: float = 0.1
    """Step size."""


@dataclass(frozen=True)
class Outer:
    """Outer."""

    steps: int = 3
    """Steps."""
    names: tuple[str, ...] = ()
    """Names."""
    agent: Inner = field(default_factory=Inner)
    """Inner."""


def test_options_are_read() -> None:
    read = parse(Outer, ["--steps", "5", "--agent.learning-rate", "0.5", "--names", "a", "b"], "test")
    assert read == Outer(5, ("a", "b"), Inner(0.5))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--stpes", "5"], "there is no option --stpes; did you mean --steps?"),
        (["--agent.learning_rat", "5"], "there is no option --agent.learning_rat; did you mean --agent.learning-rate?"),
        (["--qqqq"], "there is no option --qqqq; `--help` lists them"),
        (["word"], "what 'word' is for is not clear; options begin with --, and `--help` lists them"),
        (["--steps", "x"], "--steps is 'x', but a number of kind int is wanted"),
        (["--agent.learning-rate", "x"], "--agent.learning-rate is 'x', but a number of kind float is wanted"),
    ],
)
def test_mistakes_give_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the sentence is compared below)
        parse(Outer, words, "test")
    assert str(caught.value) == sentence


def test_an_environments_options_are_json_or_words() -> None:
    read = key_values(["map-name=8x8", "is_slippery=false", "p=0.5", "old=True", "map=S.G/..."])
    assert read == {"map_name": "8x8", "is_slippery": False, "p": 0.5, "old": True, "map": "S.G/..."}
    with pytest.raises(ValueError, match="key=value, but 'x' was given"):
        key_values(["x"])
