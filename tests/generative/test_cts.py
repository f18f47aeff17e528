"""Context tree switching against its twin in fractions, closed forms, and the sum over all levels."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box

from palestra.generative.bonus import pseudo_count
from palestra.generative.cts import CTS, CTSBonus
from tests.naive_density import NaiveCTS

pytestmark = pytest.mark.kernel


def frames(num: int, levels: int, size: tuple[int, int] = (3, 4), seed: int = 0) -> Any:
    """Draws images whose pixels are mostly like their left neighbours."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, levels, (num, *size))
    for column in range(1, size[1]):
        x[..., column] = np.where(rng.random((num, size[0])) < 0.7, x[..., column - 1], x[..., column])
    return x


def log(x: Fraction) -> float:
    return float(np.log(float(x)))


@pytest.mark.parametrize("levels", [2, 3])
def test_probabilities_are_those_of_the_twin(levels: int) -> None:
    model, twin, x = CTS((3, 4), levels=levels, num_nodes=2**12), NaiveCTS(levels), frames(16, levels)
    other = frames(1, levels, seed=1)
    for frame in x:
        before, after = model.learn(frame[None])
        assert before[0] == pytest.approx(log(twin.probability(frame.tolist())), abs=1e-9)
        twin.learn(frame.tolist())
        assert after[0] == pytest.approx(log(twin.probability(frame.tolist())), abs=1e-9)
        assert model.log_prob(other)[0] == pytest.approx(log(twin.probability(other[0].tolist())), abs=1e-9)
    together = CTS((3, 4), levels=levels, num_nodes=2**12)
    together.learn(x)
    assert together.log_prob(other) == model.log_prob(other)


@pytest.mark.parametrize("num_nodes", [16, 2**12])  # full almost at once, and never
def test_probabilities_of_all_images_sum_to_one(num_nodes: int) -> None:
    model = CTS((2, 2), levels=3, num_nodes=num_nodes)
    model.learn(frames(30, 3, (2, 2)))
    every = np.array(list(itertools.product(range(3), repeat=4))).reshape(-1, 2, 2)
    assert np.exp(model.log_prob(every)).sum() == pytest.approx(1.0, abs=1e-12)


def test_probabilities_of_all_levels_of_a_pixel_sum_to_one() -> None:
    model, x = CTS((3, 4), num_nodes=2**14), frames(20, 8)
    model.learn(x)
    last = np.repeat(x[:1], 8, axis=0)  # the last pixel is in nobody's context
    last[:, 2, 3] = np.arange(8)
    kept = CTS((3, 4), num_nodes=2**14)
    kept.restore(model.state())
    rest = kept.log_prob(last) - np.log(np.exp(kept.log_prob(last)).sum())
    assert np.exp(rest).sum() == pytest.approx(1.0)
    first = np.zeros((8, 1, 1), np.int64)
    first[:, 0, 0] = np.arange(8)
    single = CTS((1, 1), num_nodes=2**6)
    single.learn(first[[3, 3, 5]])
    assert np.exp(single.log_prob(first)) == pytest.approx((np.eye(8)[[3, 3, 5]].sum(axis=0) + 1 / 8) / 4)


@pytest.mark.parametrize("levels", [2, 8])
def test_pseudo_counts_of_one_pixel_grow_by_one_a_visit(levels: int) -> None:
    # All nodes see the same, so that after n visits ρ = (n + 1/L) / (n + 1): the pseudo-count is n + 1/L.
    model = CTS((1, 1), levels=levels, num_nodes=2**6)
    counts = [pseudo_count(*model.learn(np.ones((1, 1, 1), np.int64)))[0] for _ in range(200)]
    assert counts == pytest.approx(np.arange(200) + 1 / levels)


def test_pseudo_counts_of_an_image_grow_by_about_one_a_visit_in_the_end() -> None:
    # P pixels: ρ = ((n + 1/L) / (n + 1))^P, from which the count grows by 1 + O(P / n)^2 a visit. The learning is
    # positive all along (Bellemare et al. 2016, section 3): what has just been seen has become more probable.
    model, frame = CTS((2, 4), num_nodes=2**10), frames(1, 8, (2, 4))
    n = np.arange(1000.0)
    pairs = [model.learn(frame) for _ in n]
    before, after = (np.concatenate(part) for part in zip(*pairs, strict=True))
    np.testing.assert_allclose(before, 8 * np.log((n + 1 / 8) / (n + 1)), atol=1e-9)
    assert (after > before).all()
    counts = pseudo_count(before, after)
    assert (np.diff(counts) > 0).all()
    assert counts[999] - counts[899] == pytest.approx(100.0, rel=1e-3)
    short = 1 / np.expm1(after - before)
    assert short[999] > 100 * counts[999]  # (exp(PG) - 1)^-1 is of no use for what is seen all the time


def test_bonuses_tell_new_images_from_those_often_seen() -> None:
    bonus = CTSBonus(Box(0, 255, (1, 84, 84), np.uint8), 0, image_size=(6, 6))
    rng = np.random.default_rng(0)
    seen, new = rng.integers(0, 256, (2, 1, 1, 84, 84), np.uint8)
    new[..., :40, :] = 0
    first = bonus.update(seen)[0]
    often = [bonus.update(seen)[0] for _ in range(50)][-1]
    assert first == pytest.approx(10.0, rel=1e-2)  # (0 + 0.01)^-1/2, the largest there is
    assert often < 0.3
    assert bonus.update(new)[0] > 1.0


def test_other_shapes_and_levels_are_refused() -> None:
    model = CTS((2, 2), levels=3, num_nodes=16)
    with pytest.raises(ValueError, match=r"must have shape \['B', 2, 2\], but have \[1, 2, 3\]"):
        model.learn(np.zeros((1, 2, 3), np.int64))
    with pytest.raises(ValueError, match="levels go from 0 to 2, but one of 0 to 3 came"):
        model.learn(np.array([[[0, 1], [2, 3]]]))
