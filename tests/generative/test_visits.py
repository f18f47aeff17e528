"""Counts of visits by hand: states, cells of vectors, images, shared counters."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from palestra.generative.visits import VisitBonus


def test_states_are_counted_one_after_the_other() -> None:
    bonus = VisitBonus(Discrete(3, start=5), 0)
    assert bonus.update(np.array([5, 7, 5])) == pytest.approx([1.0, 1.0, 2**-0.5])
    assert bonus.update(np.array([5, 6])) == pytest.approx([3**-0.5, 1.0])
    assert bonus.counts.tolist() == [3, 1, 1]


def test_vectors_are_counted_by_cells() -> None:
    # 4 cells: of the first number each 0.5 long; the second goes through x / (1 + |x|), 3 to 0.75 and 1 to 0.5.
    space = Box(np.array([-1.0, -np.inf], np.float32), np.array([1.0, np.inf], np.float32))
    bonus = VisitBonus(space, 0, bins=4)
    obs = np.array([[-1.0, 1.1], [-0.51, 3.0], [-0.49, 3.0], [-0.51, 0.9], [1.0, 9.0], [0.6, 1e30]], np.float32)
    assert bonus.update(obs) == pytest.approx([1.0, 2**-0.5, 1.0, 1.0, 1.0, 2**-0.5])


def test_images_are_counted_by_grey_levels() -> None:
    bonus = VisitBonus(Box(0, 255, (3, 4, 4), np.uint8), 0)
    dark = np.zeros((1, 3, 4, 4), np.uint8)
    light = dark.copy()
    light[0, :, 1, 2] = 32  # the next of 8 levels
    assert bonus.update(np.concatenate([dark, dark + 31, light])) == pytest.approx([1.0, 2**-0.5, 1.0])


def test_counters_are_shared_where_there_are_too_few() -> None:
    bonus = VisitBonus(Box(0.0, 1.0, (2,), np.float32), 0, slots=1)
    assert bonus.update(np.eye(2, dtype=np.float32)) == pytest.approx([1.0, 2**-0.5])
    many = VisitBonus(Box(0.0, 1.0, (4,), np.float32), 0, slots=2**16)
    grid = np.stack(np.meshgrid(*[np.arange(6) / 8 + 0.01] * 4), axis=-1).reshape(-1, 4).astype(np.float32)
    # 1,296 kinds in 65,536 places: 12.8 pairs are expected to share one, with a deviation of 3.6 (Poisson)
    assert 0 < (many.update(grid) < 1.0).sum() < 30
