from pathlib import Path

import imageio.v3 as iio
import numpy as np

from tests.conftest import CommandLine


def test_seeds_become_one_curve(palestra: CommandLine) -> None:
    for seed in ("0", "1", "2"):
        palestra("train", "q-learning", "--env", "FrozenLake-v1", "--steps", "20000", "--seed", seed, "--name", seed)
    palestra("train", "q-learning", "--env", "FrozenLake-v1", "--steps", "20000", "--name", "x",
             "--agent.gamma", "0.5")  # fmt: skip
    status, out, _ = palestra("compare", "0", "1", "2", "x", "--out", "c.png")
    assert status == 0
    lines = out.splitlines()
    assert lines[-1] == "c.png"
    assert len(lines) == 3
    assert "gamma=0.998" in lines[0] or "gamma=0.5" in lines[1]
    assert "(3 seeds)" in lines[0]
    assert np.ptp(iio.imread("c.png")) > 200


def test_a_metric_that_is_not_there_is_said(palestra: CommandLine) -> None:
    palestra("train", "q-learning", "--env", "FrozenLake-v1", "--steps", "20000", "--name", "a")
    status, _, err = palestra("compare", "a", "--metric", "loss")
    assert status == 2
    assert "has no metric 'loss'; it has" in err
    assert not Path("compare.png").exists()
