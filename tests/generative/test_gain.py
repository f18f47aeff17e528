"""Pseudo-counts of a network's gain: one step of Adam by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from gymnasium.spaces import Box

from palestra.generative.gain import GainBonus

pytestmark = pytest.mark.usefixtures("independent")


def test_a_step_by_hand() -> None:
    # RMSProp divides a gradient g by the root of 0.01 g^2 at first, and moves each logit, 0 before, by 10 step sizes:
    # up that of the level seen, down the other 7.
    bonus = GainBonus(Box(0, 255, (1, 2, 3), np.uint8), 0, learning_rate=0.05, scale=0.2)
    frame = np.array([[[[0, 40, 80], [120, 200, 255]]]], np.uint8)
    after = math.log(math.exp(0.5) / (math.exp(0.5) + 7 * math.exp(-0.5)))
    gain = 6 * (after + math.log(8))
    count = 1 / (math.exp(0.2 * gain) - 1)
    assert bonus.update(frame)[0] == pytest.approx((count + 0.01) ** -0.5, rel=1e-5)
    assert bonus.num_updates == 1


def test_what_becomes_less_probable_is_worth_nothing() -> None:
    # Seven of eight frames say 255: their step takes from the eighth, which says 0, whose gain is below 0.
    bonus = GainBonus(Box(0, 255, (1, 1, 1), np.uint8), 0, learning_rate=0.1)
    frames = np.full((8, 1, 1, 1), 255, np.uint8)
    frames[3] = 0
    bonus.update(frames)
    paid = bonus.update(frames)
    assert paid[3] == 0.0
    assert (np.delete(paid, 3) > 0.0).all()


def test_counts_grow_with_visits() -> None:
    bonus = GainBonus(Box(0, 255, (1, 2, 3), np.uint8), 0, learning_rate=0.05)
    frame = np.full((1, 1, 2, 3), 100, np.uint8)
    paid = [bonus.update(frame)[0] for _ in range(60)]
    assert all(later < earlier for earlier, later in pairwise(paid))


def test_networks_without_a_likelihood_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.generative.conftest import Independent

    monkeypatch.delattr(Independent, "log_prob")
    with pytest.raises(ValueError, match="the network 'pixelcnn' has no log_prob"):
        GainBonus(Box(0, 255, (1, 2, 3), np.uint8), 0)
