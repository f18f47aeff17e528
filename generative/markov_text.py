"""A Markov chain of characters or words: the simplest generative model, which counts what follows what.

The probability of a text is the product over its units of that given the `order` units before; the first units have
fewer before them. So it is a distribution over the texts of each length: that a text ends is not modelled.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from palestra.networks.density import Exact
from palestra.networks.names import named

FORMAT = 1
UNITS = {"character": "", "word": " "}  # what is between them
SMOOTHINGS = ("back-off", "additive")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class MarkovText:
    """A chain of order k over characters, or over words, which white space parts and one blank joins again.

    Shannon, "A mathematical theory of communication" (1948), section 3. With n counts (a context counts where a unit
    follows it), V units in the vocabulary and s = `strength`, the probability of a unit u after a context c is

    - additive: (n(c u) + s) / (n(c) + s V), Laplace's rule where s is 1;
    - back-off: (n(c u) + s p(u | c')) / (n(c) + s), where c' is c without its first unit, and before any context u has
      1 / V: the posterior mean of the hierarchy of MacKay and Peto, "A hierarchical Dirichlet language model" (1995),
      with one given strength.

    With s = 0 they are the frequencies; after a context that was never seen they are 1 / V with the first rule, and
    those of the shorter context with the second.

    Raises:
        ValueError: an option is unknown or out of range.
    """

    def __init__(
        self, order: int, unit: str = "character", *, smoothing: str = "back-off", strength: float = 1.0
    ) -> None:
        if order < 0 or not 0.0 <= strength < float("inf"):
            raise ValueError(
                f"order and strength must not be negative, and strength finite, but they are {order} and {strength}"
            )
        self._joint: str = named(unit, UNITS, "unit")
        named(smoothing, dict.fromkeys(SMOOTHINGS), "smoothing")
        self.order, self.unit, self.smoothing, self.strength = order, unit, smoothing, strength
        self.vocabulary: tuple[str, ...] = ()
        self._index: dict[str, int] = {}
        self._grams: list[tuple[Ints, Ints]] = []  # by length less 1: sorted keys, prefix * V + last unit, and counts

    def fit(self, text: str, *, vocabulary: Iterable[str] = ()) -> "MarkovText":
        """Counts what follows what in a text, in place of what was counted before, and returns the chain.

        `vocabulary` has units that may occur elsewhere beside those of the text.

        Raises:
            ValueError: the text has fewer than `order` + 1 units, or one of the vocabulary is none or several.
        """
        units = self._split(text)
        if len(units) <= self.order:
            raise ValueError(
                f"a chain of order {self.order} is fitted to a text of more than {self.order} {self.unit}s, but the "
                f"one given has {len(units)}"
            )
        self._set_vocabulary(sorted({*units, *vocabulary}))
        index = self._indices(units)
        self._grams, prefix = [], np.zeros(len(index), np.int64)
        for length in range(1, self.order + 2):
            keys = prefix[: len(index) - length + 1] * len(self.vocabulary) + index[length - 1 :]
            unique, prefix, counts = np.unique(keys, return_inverse=True, return_counts=True)
            self._grams.append((unique, counts))
        return self

    def log_prob(self, text: str) -> Exact:
        """Returns the log-probability of a text, `[1]`, among all of as many units.

        Raises:
            ValueError: the text is empty, has a unit that is not in the vocabulary, or nothing was fitted.
        """
        return Exact(torch.tensor([self._nats(text)], dtype=torch.float64))

    def bits_per_character(self, text: str) -> float:
        """Returns how many bits a character of a text takes; words are joined by one blank, which takes none.

        Raises:
            ValueError: as in `log_prob`.
        """
        num_characters = len(self._joint.join(self._split(text)))
        return -self._nats(text) / (num_characters * float(np.log(2.0)))

    def probabilities(self, context: str) -> Floats:
        """Returns the probability of each unit of the vocabulary `[V]` after a context, of which the end counts.

        Raises:
            ValueError: the context has a unit that is not in the vocabulary, or nothing was fitted.
        """
        self._check_fitted()
        return self._after(self._indices(self._split(context)))

    def sample(self, length: int, seed: int, temperature: float = 1.0) -> str:
        """Draws a text of `length` units, each from its probabilities to the power of 1 / `temperature`.

        Raises:
            ValueError: length or temperature is not positive, or nothing was fitted.
        """
        self._check_fitted()
        if length < 1 or not temperature > 0:
            raise ValueError(f"length and temperature must be positive, but are {length} and {temperature}")
        rng = np.random.default_rng(seed)
        drawn = np.zeros(length, np.int64)
        for i in range(length):
            p = self._after(drawn[:i])
            if temperature != 1.0:
                p = (p / p.max()) ** (1.0 / temperature)
            drawn[i] = rng.choice(len(p), p=p / p.sum())
        return self._joint.join(self.vocabulary[i] for i in drawn)

    def save(self, path: str | Path) -> None:
        """Writes the chain as JSON, from which `load` has it back exactly.

        Raises:
            ValueError: nothing was fitted.
        """
        self._check_fitted()
        options = {name: getattr(self, name) for name in ("order", "unit", "smoothing", "strength", "vocabulary")}
        grams = [[keys.tolist(), counts.tolist()] for keys, counts in self._grams]
        Path(path).write_text(json.dumps({"format": FORMAT, **options, "grams": grams}, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "MarkovText":
        """Reads what `save` wrote.

        Raises:
            ValueError: the file is damaged or of another format.
        """
        try:
            saved: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
            chain = cls(*(saved[k] for k in ("order", "unit")), **{k: saved[k] for k in ("smoothing", "strength")})
            grams = [(np.array(keys, np.int64), np.array(counts, np.int64)) for keys, counts in saved["grams"]]
            damage = _damage(saved, grams)
            chain._set_vocabulary(saved["vocabulary"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path} holds no Markov chain: {error!r}") from None
        if damage:
            raise ValueError(f"{path} holds no Markov chain: {damage}")
        chain._grams = grams
        return chain

    def _split(self, text: str) -> Sequence[str]:
        return text.split() if self.unit == "word" else text

    def _set_vocabulary(self, units: Sequence[str]) -> None:
        odd = [unit for unit in units if list(self._split(unit)) != [unit]]
        if odd:
            raise ValueError(f"the vocabulary has {odd[0]!r}, which is not one {self.unit}")
        self.vocabulary = tuple(units)
        self._index = {unit: i for i, unit in enumerate(units)}

    def _indices(self, units: Sequence[str]) -> Ints:
        try:
            return np.fromiter((self._index[unit] for unit in units), np.int64, len(units))
        except KeyError as error:
            raise ValueError(
                f"the {self.unit} {error} is not among the {len(self._index)} that the chain was fitted to; "
                f"fit(text, vocabulary=...) takes more"
            ) from None

    def _check_fitted(self) -> None:
        if not self._grams:
            raise ValueError("the chain has no counts yet; fit it to a text first")

    def _nats(self, text: str) -> float:
        self._check_fitted()
        index = self._indices(self._split(text))
        if not len(index):
            raise ValueError(f"the text has no {self.unit}s; at least 1 is wanted")
        size, p = len(self.vocabulary), np.full(len(index), 1.0 / len(self.vocabulary))
        for length in range(min(self.order, len(index) - 1) + 1):  # of the context
            node, found = self._nodes(index, length)
            total = np.where(found, self._totals(length)[node], 0)
            hits, known = self._place(length, node * size + index[length:])
            p[length:] = self._mixed(np.where(known & found, self._grams[length][1][hits], 0), total, p[length:])
        with np.errstate(divide="ignore"):
            return float(np.log(p).sum())

    def _after(self, context: Ints) -> Floats:
        """Returns the probabilities `[V]` after the last units of a context."""
        size = len(self.vocabulary)
        p = np.full(size, 1.0 / size)
        for length in range(min(self.order, len(context)) + 1):
            node = 0
            for depth, unit in enumerate(context[len(context) - length :]):
                place, known = self._place(depth, node * size + unit)
                if not known:
                    return p if self.smoothing == "back-off" else np.full(size, 1.0 / size)
                node = int(place)
            keys, counts = self._grams[length]
            first, last = np.searchsorted(keys, (node * size, (node + 1) * size))
            seen = np.zeros(size)
            seen[keys[first:last] - node * size] = counts[first:last]
            p = self._mixed(seen, seen.sum(), p)
        return p

    def _nodes(self, index: Ints, length: int) -> tuple[Ints, NDArray[np.bool_]]:
        """Returns the place of the context of so many units before each unit that has one, and whether it was seen."""
        count = len(index) - length
        node, found = np.zeros(count, np.int64), np.ones(count, np.bool_)
        for depth in range(length):
            node, known = self._place(depth, node * len(self.vocabulary) + index[depth : depth + count])
            found &= known
        return node, found

    def _place(self, length: int, keys: Any) -> tuple[Any, Any]:
        """Returns where keys are among the grams of `length` + 1 units, and whether they are there."""
        own = self._grams[length][0]
        place = np.minimum(np.searchsorted(own, keys), len(own) - 1)
        return place, own[place] == keys

    def _totals(self, length: int) -> Ints:
        """Returns how often each gram of `length` units is followed by another."""
        keys, counts = self._grams[length]
        num_contexts = len(self._grams[length - 1][0]) if length else 1
        totals = np.bincount(keys // len(self.vocabulary), counts, minlength=num_contexts)
        return totals.astype(np.int64)

    def _mixed(self, seen: Any, total: Any, shorter: Floats) -> Floats:
        """Returns the probabilities of units that were seen so often, of `total`, from those with a shorter context."""
        size = len(self.vocabulary)
        additive = self.smoothing == "additive"
        base = np.full_like(shorter, 1.0 / size) if additive else shorter
        prior = self.strength * (size if additive else 1)
        return np.where(total + prior > 0, (seen + prior * base) / np.maximum(total + prior, 1e-300), base)


def _damage(saved: dict[str, Any], grams: list[tuple[Ints, Ints]]) -> str:
    """Says what is wrong with a saved chain, or nothing."""
    units = saved["vocabulary"]
    if saved.get("format") != FORMAT:
        return f"its format is {saved.get('format')}, but this version reads {FORMAT}"
    if not units or any(not isinstance(unit, str) for unit in units) or len(set(units)) != len(units):
        return "its vocabulary is no list of different strings"
    if len(grams) != saved["order"] + 1:
        return f"it has counts of {len(grams)} lengths, but order {saved['order']} has {saved['order'] + 1}"
    sizes = [1, *(len(keys) for keys, _ in grams)]
    for (keys, counts), (above, _) in zip(grams, pairwise(sizes), strict=True):
        sound = keys.shape == counts.shape and keys.ndim == 1 and len(keys) > 0 and bool((counts > 0).all())
        if not (sound and keys[0] >= 0 and keys[-1] < above * len(units) and bool((np.diff(keys) > 0).all())):
            return "its counts are no sorted keys with a positive count each"
    return ""
