import imageio.v3 as iio
import numpy as np
import pytest

from palestra.cli.picture import draw
from palestra.envs.spec import EnvSpec
from tests.conftest import CommandLine


class Recorded:
    """Acts as in Example 4.1's optimal policy: towards the nearer of the two corners, as up, right, down, left."""

    class config:  # noqa: N801
        gamma = 1.0

    def act(self, obs: np.ndarray, first: np.ndarray, mask: object = None, *, explore: bool = True) -> np.ndarray:
        row, column = obs // 4, obs % 4
        to_first = row + column <= 3
        return np.where(to_first, np.where(column > 0, 3, 0), np.where(column < 3, 1, 2))


def test_example_4_1_is_drawn_with_its_values(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    panels = {}
    monkeypatch.setattr("palestra.envs.gridworld_pictures.save_figure", lambda figure, path: None)
    monkeypatch.setattr("palestra.envs.gridworld_pictures.draw_side_by_side", lambda cells, given: panels.update(given))
    draw(Recorded(), EnvSpec("palestra/Classic4x4-v0"), "optimal", tmp_path / "x.png")
    # Sutton and Barto 2018, figure 4.1, k = infinity, and the optimal values under it
    figure = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]
    assert panels["random"][0] == pytest.approx(figure, abs=1e-6)
    optimal = [0, -1, -2, -3, -1, -2, -3, -2, -2, -3, -2, -1, -3, -2, -1, 0]
    assert panels["optimal"][0] == pytest.approx(optimal, abs=1e-9)
    arrows = panels["optimal"][1].sum(axis=1)
    assert arrows[[3, 5, 6, 1]].tolist() == [2, 2, 4, 1]  # figure 4.1's greedy arrows


def test_the_command_draws(palestra: CommandLine) -> None:
    palestra("train", "value-iteration", "--env", "palestra/Cliff-v0", "--name", "cliff")
    status, out, _ = palestra("watch", "cliff", "--out", "cliff.png")
    assert (status, out) == (0, "cliff.png\n")
    assert np.ptp(iio.imread("cliff.png")) > 200


def test_other_environments_are_refused(palestra: CommandLine) -> None:
    palestra("train", "value-iteration", "--env", "FrozenLake-v1", "--name", "lake")
    status, _, err = palestra("watch", "lake", "--out", "lake.png")
    assert status == 2
    assert "no grid world" in err
