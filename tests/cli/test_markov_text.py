"""`palestra fit markov-text`, `evaluate` and `sample`, beside the chain itself."""

import json
import math
from pathlib import Path

import pytest

from palestra.generative.markov_text import MarkovText
from tests.conftest import CommandLine

TEXT = "the cat sat on the mat and the rat sat on the cat " * 4


@pytest.fixture
def text(palestra: CommandLine) -> CommandLine:
    """The command line in a folder with a text of 200 characters."""
    Path("text.txt").write_text(TEXT)
    return palestra


@pytest.mark.parametrize("unit", ["character", "word"])
def test_a_chain_is_fitted_measured_and_sampled(text: CommandLine, unit: str) -> None:
    words = ("fit", "markov-text", "--data", "text.txt", "--order", "2", "--unit", unit, "--valid", "0.11")
    status, out, err = text(*words, "--name", "a")
    assert (status, out.strip()) == (0, "runs/a"), err
    train, held_out = TEXT[:176], TEXT[176:]  # of 178, from where a word ends
    assert held_out.startswith(" ")
    chain = MarkovText(2, unit).fit(train, vocabulary=set(held_out if unit == "character" else held_out.split()))
    nats = -float(chain.log_prob(held_out).nats)
    report = json.loads(text("evaluate", "a", "--json")[1])
    units = len(held_out) if unit == "character" else len(held_out.split())
    assert report["nats"] == pytest.approx(nats)
    assert report["bits_per_dim"] == pytest.approx(nats / units / math.log(2))
    assert report["bits_per_character"] == pytest.approx(chain.bits_per_character(held_out))
    assert report == json.loads(Path("runs/a/evaluation.json").read_text())
    assert f"{nats:.2f} nats" in text("evaluate", "a")[1]
    assert text("sample", "a", "--length", "30", "--seed", "1")[1] == chain.sample(30, 1) + "\n"
    status, out, _ = text("sample", "a", "--length", "30", "--seed", "1", "--out", "new/drawn.txt")
    assert (status, out.strip()) == (0, "new/drawn.txt")
    assert Path("new/drawn.txt").read_text() == chain.sample(30, 1) + "\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fit", "markov-text"), "--data is missing"),
        (("fit", "markov-txt", "--data", "text.txt"), "there is no network 'markov-txt'; did you mean markov-text?"),
        (("fit", "markov-text", "--data", "nothing.txt"), "nothing.txt: No such file"),
        (("fit", "markov-text", "--data", "bytes"), "bytes is no text in UTF-8: invalid start byte at byte 1"),
        (("fit", "markov-text", "--data", "text.txt", "--order", "-1"), "order and strength must not be negative"),
        (("fit", "markov-text", "--data", "text.txt", "--valid", "1"), "fraction from 0 to below 1, but is 1.0"),
        (("fit", "markov-text", "--data", "text.txt", "--ordr", "1"), "did you mean --order?"),
        (("fit", "--resume", "a"), "fitted at once: there is nothing to go on with"),
        (("fit", "convnet", "--resume", "a"), "fitted at once: there is nothing to go on with"),
        (("evaluate", "a"), "held nothing of text.txt out; name another text with --data"),
        (("evaluate", "a", "--data", "other.txt"), "the character 'x' is not among"),
        (("sample", "a", "--length", "0"), "length and temperature must be positive"),
        (("predict", "a", "text.txt"), "holds no network"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(text: CommandLine, words: tuple[str, ...], message: str) -> None:
    Path("bytes").write_bytes(b"a\xff")
    Path("other.txt").write_text("xyz")
    assert text("fit", "markov-text", "--data", "text.txt", "--valid", "0", "--name", "a")[0] == 0
    status, out, err = text(*words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_text_that_has_changed_is_noticed(text: CommandLine) -> None:
    assert text("fit", "markov-text", "--data", "text.txt", "--name", "a")[0] == 0
    Path("text.txt").write_text(TEXT + "more")
    status, _, err = text("evaluate", "a")
    assert status == 2
    assert "text.txt had 200 characters when runs/a was fitted to it, but has 204 now" in err
