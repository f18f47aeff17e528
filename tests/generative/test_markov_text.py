"""Markov chains of characters and words: counts by hand and by a dictionary, sums, frequencies, files, refusals."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from palestra.generative.markov_text import MarkovText

TEXT = "abracadabra"  # a 5, b 2, r 2, c 1, d 1; ab 2, br 2, ra 2, ac 1, ca 1, ad 1, da 1; abr 2, bra 2


def chance(
    units: Sequence[str], context: Sequence[str], unit: str, s: int, smoothing: str, size: int
) -> Fraction:  # by the definition, for s > 0
    k = len(context)
    grams = [tuple(units[i : i + k + 1]) for i in range(len(units) - k)]
    seen, total = grams.count((*context, unit)), sum(gram[:-1] == tuple(context) for gram in grams)
    if smoothing == "additive":
        return Fraction(seen + s, total + s * size)
    shorter = chance(units, context[1:], unit, s, smoothing, size) if context else Fraction(1, size)
    return (seen + s * shorter) / (total + s)


def test_order_0_by_hand() -> None:
    assert MarkovText(0, strength=0.0).fit(TEXT).log_prob("ad").nats.item() == pytest.approx(math.log(5 / 121))
    additive = MarkovText(0, smoothing="additive").fit(TEXT)  # Laplace: (5 + 1) / (11 + 5) and (1 + 1) / (11 + 5)
    assert additive.log_prob("ad").nats.item() == pytest.approx(math.log(6 / 16 * 2 / 16))
    assert MarkovText(0).fit(TEXT).log_prob("a").nats.item() == pytest.approx(math.log((5 + 1 / 5) / 12))


def test_order_2_by_hand() -> None:
    # Of the five a four are followed by a unit, of the two ab both.
    plain = MarkovText(2, strength=0.0).fit(TEXT)
    assert plain.log_prob("abra").nats.item() == pytest.approx(math.log(5 / 11 * 2 / 4 * 2 / 2 * 2 / 2))
    assert plain.log_prob("abc").nats.item() == -math.inf
    additive = MarkovText(2, smoothing="additive").fit(TEXT)
    assert additive.log_prob("abra").nats.item() == pytest.approx(math.log(6 / 16 * 3 / 9 * 3 / 7 * 3 / 7))
    b = (2 + 1 / 5) / 12  # as r
    expected = (5 + 1 / 5) / 12 * (2 + b) / 5 * (2 + (2 + b) / 3) / 3
    assert MarkovText(2).fit(TEXT).log_prob("abr").nats.item() == pytest.approx(math.log(expected))


@pytest.mark.parametrize("smoothing", ["additive", "back-off"])
@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_probabilities_are_those_of_the_definition(order: int, unit: str, smoothing: str) -> None:
    rng = np.random.default_rng(order)
    joint = " " if unit == "word" else ""
    units, other = (["xyz"[i] for i in rng.choice(3, size, p=[0.6, 0.3, 0.1])] for size in (60, 40))
    chain = MarkovText(order, unit, smoothing=smoothing, strength=2.0).fit(joint.join(units), vocabulary="w")
    contexts = [other[max(0, i - order) : i] for i in range(40)]
    expected = [chance(units, c, u, 2, smoothing, 4) for c, u in zip(contexts, other, strict=True)]
    nats = chain.log_prob(joint.join(other)).nats
    assert nats.shape == (1,)
    assert nats.item() == pytest.approx(sum(math.log(p) for p in expected))
    for length in range(order + 1):
        for context in product("wxyz", repeat=length):
            each = [float(chance(units, context, u, 2, smoothing, 4)) for u in chain.vocabulary]
            np.testing.assert_allclose(chain.probabilities(joint.join(context)), each)


@pytest.mark.parametrize("smoothing", ["additive", "back-off"])
@pytest.mark.parametrize("strength", [0.0, 0.3])
@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_probabilities_of_all_texts_of_a_length_add_up_to_1(order: int, strength: float, smoothing: str) -> None:
    chain = MarkovText(order, smoothing=smoothing, strength=strength).fit(TEXT)
    for length in (1, 2, 4):
        total = sum(math.exp(chain.log_prob("".join(text)).nats.item()) for text in product("abcdr", repeat=length))
        assert total == pytest.approx(1.0)
    for context in ("", "a", "ra", "cc", "abracadabra"):
        assert chain.probabilities(context).sum() == pytest.approx(1.0)


def test_bits_are_the_entropy_of_the_frequencies() -> None:
    # Shannon 1948, section 6: 2 bits for four equal shares, and -sum p log2 p for others; none where all is certain.
    assert MarkovText(0, strength=0.0).fit("abcd").bits_per_character("dcba") == pytest.approx(2.0)
    p = np.array([5, 2, 2, 1, 1]) / 11
    entropy = -(p * np.log2(p)).sum()
    assert MarkovText(0, strength=0.0).fit(TEXT).bits_per_character(TEXT) == pytest.approx(entropy)
    assert MarkovText(1, strength=0.0).fit("abababab").bits_per_character("abab") == pytest.approx(1 / 4)
    words = MarkovText(0, "word", strength=0.0).fit("one  two\nthree four")
    assert words.bits_per_character("two two") == pytest.approx(2 * 2 / 7)  # two words of 2 bits in seven characters


def test_what_follows_what_in_samples_is_what_the_chain_says() -> None:
    # Pearson's chi-square over the 9 contexts of two units, each with 2 degrees of freedom, at 1e-4.
    rng = np.random.default_rng(0)
    chain = MarkovText(2).fit("".join(rng.choice(list("xyz"), 300, p=[0.5, 0.3, 0.2])))
    text = chain.sample(20_000, seed=1)
    grams = Counter(text[i : i + 3] for i in range(len(text) - 2))
    statistic = 0.0
    for context in map("".join, product("xyz", repeat=2)):
        seen = np.array([grams[context + unit] for unit in chain.vocabulary])
        expected = seen.sum() * chain.probabilities(context)
        statistic += float(((seen - expected) ** 2 / expected).sum())
    assert statistic < chi2.isf(1e-4, 18)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_sharpens_or_flattens(temperature: float) -> None:
    chain = MarkovText(0, strength=0.0).fit(TEXT)
    p = (np.array([5, 2, 1, 1, 2]) / 11) ** (1 / temperature)  # of a, b, c, d, r
    expected = 10_000 * p / p.sum()
    text = chain.sample(10_000, seed=0, temperature=temperature)
    seen = np.array([text.count(unit) for unit in "abcdr"])
    assert ((seen - expected) ** 2 / expected).sum() < chi2.isf(1e-4, 4)


def test_the_first_units_are_drawn_with_what_is_before_them() -> None:
    # 3,000 texts of two units from "aab": a first in 2/3, and then a or b with even chances, after b anything.
    chain = MarkovText(1, strength=0.0, smoothing="additive").fit("aab")
    texts = Counter(chain.sample(2, seed=i) for i in range(3000))
    expected = {"aa": 1000.0, "ab": 1000.0, "ba": 500.0, "bb": 500.0}
    assert sum((texts[t] - n) ** 2 / n for t, n in expected.items()) < chi2.isf(1e-4, 3)
    assert chain.sample(50, seed=3) == chain.sample(50, seed=3)
    assert chain.sample(50, seed=3) != chain.sample(50, seed=4)
    words = MarkovText(1, "word", strength=0.0).fit("to be or not to be")
    assert set(words.sample(9, seed=0).split(" ")) <= {"to", "be", "or", "not"}
    assert len(words.sample(9, seed=0).split(" ")) == 9
    assert words.sample(40, seed=0, temperature=1e-3).count("to be") > 0  # small powers do not overflow


@pytest.mark.parametrize("unit", ["character", "word"])
def test_saved_and_loaded_is_the_same_to_the_bit(unit: str, tmp_path: Path) -> None:
    text = 'été "ñ" \\ \n\t 雪 ' + " ".join(TEXT)
    chain = MarkovText(3, unit, smoothing="additive", strength=0.1).fit(text)
    chain.save(tmp_path / "chain.json")
    loaded = MarkovText.load(tmp_path / "chain.json")
    assert loaded.log_prob(text).nats.item() == chain.log_prob(text).nats.item()
    assert loaded.sample(200, seed=5) == chain.sample(200, seed=5)
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "chain.json").read_bytes()
    chain.fit("a b c " * 3)  # what was counted before is gone
    assert chain.log_prob("a").nats.item() != loaded.log_prob("a").nats.item()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "its format is 2, but this version reads 1"),
        ({"vocabulary": ["a", "a", "b", "c", "d"]}, "no list of different strings"),
        ({"vocabulary": ["a", "bb", "c", "d", "r"]}, "'bb', which is not one character"),
        ({"order": 2}, "counts of 2 lengths, but order 2 has 3"),
        ({"order": "1"}, "TypeError"),
        ({"unit": "letter"}, "no unit 'letter'"),
        ({"grams": [[[0, 1], [5, 2]], [[3, 1], [1, 1]]]}, "no sorted keys"),
        ({"grams": [[[0, 1], [5, 2]], [[3], [0]]]}, "positive count"),
        ({"grams": [[[0, 1], [5, 2]], [[10], [1]]]}, "no sorted keys"),  # prefix 2 of two
        ({"grams": [[[0, 1], [5]], [[3], [1]]]}, "no sorted keys"),
    ],
)
def test_damaged_files_are_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    MarkovText(1).fit(TEXT).save(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes))
    with pytest.raises(ValueError, match=f"holds no Markov chain: .*{message}"):
        MarkovText.load(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="holds no Markov chain"):
        MarkovText.load(path)


def test_wrong_options_texts_and_requests_are_refused() -> None:
    chain = MarkovText(2).fit(TEXT)
    for call, message in (
        (lambda: MarkovText(-1), "order and strength must not be negative, .* they are -1 and 1.0"),
        (lambda: MarkovText(1, strength=-0.5), "they are 1 and -0.5"),
        (lambda: MarkovText(1, strength=math.nan), "they are 1 and nan"),
        (lambda: MarkovText(1, "letter"), "no unit 'letter'"),
        (lambda: MarkovText(1, smoothing="backoff"), "did you mean back-off"),
        (lambda: MarkovText(3).fit("abc"), "of more than 3 characters, but the one given has 3"),
        (lambda: MarkovText(2, "word").fit("to be"), "of more than 2 words, but the one given has 2"),
        (lambda: MarkovText(0).fit(""), "more than 0 characters, but the one given has 0"),
        (lambda: MarkovText(0).fit("ab", vocabulary=["cd"]), "'cd', which is not one character"),
        (lambda: MarkovText(1).log_prob("a"), "no counts yet"),
        (lambda: MarkovText(1).sample(3, seed=0), "no counts yet"),
        (lambda: chain.log_prob("abx"), "the character 'x' is not among the 5"),
        (lambda: chain.log_prob(""), "the text has no characters"),
        (lambda: chain.sample(0, seed=0), "must be positive, but are 0 and 1.0"),
        (lambda: chain.sample(1, seed=0, temperature=0.0), "must be positive, but are 1 and 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
