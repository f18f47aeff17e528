"""Bonuses: pseudo-counts by hand, what all of them do, exact states, and what they refuse."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from palestra.generative.bonus import BONUSES, bonus_named, check_bonus, count_bonus, gain_count, pseudo_count

IMAGES = Box(0, 255, (1, 6, 5), np.uint8)
VECTORS = Box(-1.0, 1.0, (3,), np.float32)
STATES = Discrete(7, start=2)
CASES = [
    ("count", STATES, {}),
    ("count", VECTORS, {}),
    ("count", IMAGES, {}),
    ("rnd", STATES, {"warmup": 5}),
    ("rnd", VECTORS, {"warmup": 5}),
    ("rnd", IMAGES, {"warmup": 5}),
    ("cts", IMAGES, {"num_nodes": 2**14}),
    ("pixelcnn", IMAGES, {"learning_rate": 0.05}),
]


def observed(space: gym.Space[Any], batches: int, seed: int) -> list[Any]:
    """Draws batches of four observations."""
    space.seed(seed)
    return [np.array([space.sample() for _ in range(4)]) for _ in range(batches)]


def as_arrays(state: Any) -> Any:
    """What a checkpoint gives back: NumPy's arrays, copied."""
    if isinstance(state, dict):
        return {name: as_arrays(value) for name, value in state.items()}
    assert isinstance(state, int | float | str | np.ndarray | torch.Tensor)
    state = state.numpy() if isinstance(state, torch.Tensor) else state
    return state.copy() if isinstance(state, np.ndarray) else state


def test_pseudo_counts_of_a_model_that_counts_are_its_counts() -> None:
    # Bellemare et al. 2016, section 3: with ρ = N / n and ρ' = (N + 1) / (n + 1) the pseudo-count is N.
    count, total = np.array([1.0, 3.0, 50.0, 2.0]), np.array([2.0, 100.0, 51.0, 1e9])
    before, after = np.log(count / total), np.log((count + 1) / (total + 1))
    np.testing.assert_allclose(pseudo_count(before, after), count, rtol=1e-6)
    # The short form is the same where the probability is small, and n + 1 over n - N times it where it is not.
    np.testing.assert_allclose(1 / np.expm1(after - before), count * (total + 1) / (total - count), rtol=1e-6)


def test_pseudo_counts_where_nothing_or_too_much_is_learnt() -> None:
    before = np.array([-5.0, -5.0, -3000.0, 0.0])
    after = np.array([-5.0, -6.0, -5.0, 0.0])
    assert pseudo_count(before, after).tolist() == [np.inf, np.inf, 0.0, np.inf]
    assert count_bonus(pseudo_count(before, after)).tolist() == [0.0, 0.0, 10.0, 0.0]
    assert gain_count(after - before, 4, 0.1)[[0, 1, 3]].tolist() == [np.inf] * 3


def test_counts_of_gains_by_hand() -> None:
    # c = 0.1 and n = 4 make the gain 20 log(3) one of log(3): the count is 1 / (3 - 1), its bonus 0.51^-1/2.
    count = gain_count(np.array([20 * math.log(3.0)]), 4, 0.1)
    assert count == pytest.approx(0.5)
    assert count_bonus(count) == pytest.approx(0.51**-0.5)


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize(("name", "space", "options"), CASES)
def test_restored_bonuses_go_on_to_the_bit(name: str, space: Any, options: dict[str, Any]) -> None:
    make = lambda: bonus_named(name, space, 3, **options)  # noqa: E731
    whole, resumed, batches = make(), make(), observed(space, 9, 0)
    for obs in batches[:5]:
        paid = whole.update(obs)
        assert paid.dtype == np.float32
        assert paid.shape == (4,)
        assert (paid >= 0.0).all()
    for obs in batches[:2]:  # what is there already gives way
        resumed.update(obs)
    resumed.restore(as_arrays(whole.state()))
    for obs in batches[5:]:
        np.testing.assert_array_equal(resumed.update(obs), whole.update(obs))
    np.testing.assert_equal(as_arrays(resumed.state()), as_arrays(whole.state()))


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize(("name", "space", "options"), CASES)
def test_the_unfamiliar_is_worth_more_than_what_was_often_seen(name: str, space: Any, options: dict[str, Any]) -> None:
    bonus, (known, new) = bonus_named(name, space, 0, **options), observed(space, 1, 0)[0][:2]
    assert (known != new).any()
    first = bonus.update(np.array([known, known, known, known]))
    for _ in range(100):
        bonus.update(np.array([known, known, known, known]))
    known_paid, new_paid = bonus.update(np.array([known, new, known, known]))[:2]
    assert new_paid > 3.0 * known_paid
    if name != "rnd":  # which pays nothing until it has seen enough to whiten by
        assert first[0] > 3.0 * known_paid


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize(("name", "space", "options"), CASES)
def test_global_random_numbers_are_left_alone(name: str, space: Any, options: dict[str, Any]) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    bonus = bonus_named(name, space, 0, **options)
    for obs in observed(space, 3, 0):
        bonus.update(obs)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize(
    ("name", "space", "options", "message"),
    [
        ("counts", STATES, {}, "no bonus 'counts'; did you mean count"),
        ("count", Box(0, 1, (2, 2), np.float32), {}, "count takes states, vectors and uint8 images"),
        ("count", STATES, {"slots": 0}, "slots must be at least 1, but is 0"),
        ("count", STATES, {"slot": 9}, "the bonus 'count' has no option 'slot'"),
        ("rnd", Box(0, 1, (2, 2), np.float32), {}, "rnd takes states, vectors and uint8 images"),
        ("rnd", STATES, {"warmup": 0}, "warmup must be at least 1"),
        ("rnd", STATES, {"gamma": 1.0}, "gamma from 0 to below 1, but are 0.001 and 1"),
        ("cts", VECTORS, {}, "the bonus cts takes uint8 images, channels first"),
        ("cts", IMAGES, {"levels": 1}, "levels must be 2 to 256, but are 1"),
        ("cts", IMAGES, {"num_nodes": 1000}, "power of two of at least 16, but is 1000"),
        ("cts", IMAGES, {"image_size": (0, 4)}, "at least 1 x 1, but is 0 x 4"),
        ("pixelcnn", STATES, {}, "the bonus pixelcnn takes uint8 images"),
        ("pixelcnn", IMAGES, {"scale": 0.0}, "scale must be positive, but is 0"),
        ("pixelcnn", IMAGES, {"network": "pixelcn"}, "no network 'pixelcn'; did you mean pixelcnn"),
        ("pixelcnn", IMAGES, {"width": 3}, "'pixelcnn' has no option 'width'"),
        ("pixelcnn", IMAGES, {"network": "convnet"}, "'convnet' has no option"),
    ],
)
def test_what_is_refused(name: str, space: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bonus_named(name, space, 0, **options)


def test_agents_options_are_checked() -> None:
    for name in ("none", *BONUSES):
        check_bonus(name, 0.1)
    for scale in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"bonus_scale must be positive, but is {scale:g}"):
            check_bonus("count", scale)
    with pytest.raises(ValueError, match="no bonus 'pixelrnn'; did you mean pixelcnn"):
        check_bonus("pixelrnn", 0.1)


def test_a_pixelcnn_pays_more_for_what_it_has_not_seen() -> None:
    space = gym.spaces.Box(0, 255, (1, 6, 6), np.uint8)
    bonus = bonus_named("pixelcnn", space, 0, num_units=8, num_blocks=1, kernel=3)
    rng = np.random.default_rng(0)
    known, new = (rng.integers(0, 256, (1, 1, 6, 6), dtype=np.uint8) for _ in range(2))
    paid = [float(bonus.update(known)[0]) for _ in range(40)]
    assert paid[-1] < 0.5 * max(paid)
    assert float(bonus.update(new)[0]) > 2 * paid[-1]
