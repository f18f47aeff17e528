"""Random network distillation: every number of an update by NumPy, and what falls and what stays."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from palestra.generative.distillation import RNDBonus

VECTORS = Box(-np.inf, np.inf, (3,), np.float32)


def forward(parts: dict[str, Any], name: str, x: Any) -> Any:
    """Fully connected layers with leaky ReLUs between them, whose slope below 0 is 0.01."""
    layers = sorted({int(key.split(".")[1]) for key in parts if key.startswith(f"{name}.")})
    for layer in layers:
        x = x @ parts[f"{name}.{layer}.weight"].numpy().T + parts[f"{name}.{layer}.bias"].numpy()
        x = np.where(x > 0, x, 0.01 * x) if layer != layers[-1] else x
    return x


def test_updates_by_hand() -> None:
    rng = np.random.default_rng(0)
    bonus = RNDBonus(VECTORS, 1, num_units=8, num_features=4, gamma=0.9, warmup=20)
    seen = [rng.normal(3.0, 2.0, (4, 3)).astype(np.float32) for _ in range(12)]
    seen[7][0, 1] = 90.0  # clipped
    for obs in seen[:5]:
        assert bonus.update(obs).tolist() == [0.0] * 4
    sums = [np.zeros(4)]
    for i in range(5, 12):
        parts = bonus.state()["parts"]
        whole = np.concatenate(seen[: i + 1]).astype(float)
        white = (seen[i] - whole.mean(axis=0)) / whole.std(axis=0)
        assert i != 7 or white.max() > 5.0
        white = white.clip(-5.0, 5.0)
        error = np.square(forward(parts, "predictor", white) - forward(parts, "target", white)).mean(axis=1)
        sums.append(0.9 * sums[-1] + error)
        paid = bonus.update(seen[i])
        np.testing.assert_allclose(paid, error / np.concatenate(sums).std(), rtol=1e-4)
    parts = bonus.state()["parts"]
    error = np.square(forward(parts, "predictor", white) - forward(parts, "target", white)).mean(axis=1)
    np.testing.assert_allclose(bonus.error(seen[11]), error, rtol=1e-4)


def test_errors_fall_on_what_is_seen_and_stay_elsewhere() -> None:
    bonus = RNDBonus(Discrete(20), 0, warmup=40)
    for _ in range(2):
        bonus.update(np.arange(20))
    every = np.arange(20)
    before = bonus.error(every)
    bonus = RNDBonus(Discrete(20), 0, warmup=40)
    rng = np.random.default_rng(0)
    bonus.update(every)
    bonus.update(every[::-1])
    for _ in range(500):
        bonus.update(np.repeat(rng.integers(0, 10, 2), 10))
    after = bonus.error(every)
    assert (after[:10] < 0.02 * before[:10]).all()
    assert (after[10:] > 0.2 * before[10:]).all()


def test_images_go_through_convolutions() -> None:
    bonus = RNDBonus(Box(0, 255, (1, 9, 10), np.uint8), 0, warmup=8)
    rng = np.random.default_rng(0)
    seen, new = rng.integers(0, 256, (2, 4, 1, 9, 10), np.uint8)
    bonus.update(np.concatenate([seen, new]))
    before = bonus.error(seen), bonus.error(new)
    for _ in range(200):
        bonus.update(np.concatenate([seen, seen]))
    assert (bonus.error(seen) < 0.05 * before[0].mean()).all()
    assert (bonus.error(new) > 10 * bonus.error(seen).max()).all()


def test_another_number_of_environments_is_refused() -> None:
    bonus = RNDBonus(Discrete(3), 0, warmup=1)
    bonus.update(np.array([0, 1]))
    with pytest.raises(ValueError, match="saw 2 environments so far, but now 3"):
        bonus.update(np.array([0, 1, 2]))
