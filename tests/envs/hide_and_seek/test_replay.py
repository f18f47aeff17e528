"""Pictures and pages of episodes."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from palestra.envs.hide_and_seek import parallel_env
from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.rendering import BORDER, picture
from palestra.envs.hide_and_seek.replay import Replay
from tests.envs.hide_and_seek.test_solver import random_actions
from tests.envs.hide_and_seek.worlds import Set


def colour(image: np.ndarray, x: float, y: float, floor: float = 6.0) -> list[int]:
    """Returns the colour of a place."""
    scale = len(image) / (floor + 2 * BORDER)
    pixel: list[int] = image[round(len(image) - (y + BORDER) * scale), round((x + BORDER) * scale)].tolist()
    return pixel


def test_everything_is_drawn_where_it_is() -> None:
    world = Set((1.0, 1.0, math.pi), (5.0, 1.0, math.pi), seekers=1)
    world.box(3.0, 4.0)
    world.wall(1.0, 4.0, 0.1, 0.5)
    image = picture(world.bodies, 6.0)
    assert image.shape == (480, 480, 3)
    red, green, blue = colour(image, 1.07, 1.0)
    assert blue > 150 > red
    assert colour(image, 5.07, 1.0)[0] > 180 > colour(image, 5.07, 1.0)[2]
    assert colour(image, 3.0, 4.0)[2] < 120  # the box is yellow
    assert max(colour(image, 1.0, 4.0)) < 110
    assert min(colour(image, 4.5, 4.5)) > 215
    assert green > 0


def test_the_environment_draws_what_it_shows() -> None:
    env = parallel_env("quadrant", render_mode="rgb_array", side=200)
    env.reset(seed=0)
    image = env.render()
    assert image.shape == (200, 200, 3)
    assert image.dtype == np.uint8
    assert parallel_env("quadrant").render() is None
    with pytest.raises(ValueError, match="rgb_array"):
        parallel_env("quadrant", render_mode="human")


def test_a_page_holds_the_episode(tmp_path: Path) -> None:
    batch, rng = HideAndSeekBatch("full", 2), np.random.default_rng(0)
    replay = Replay(batch, 1)
    with pytest.raises(ValueError, match="no moments"):
        replay.save(tmp_path / "empty.html")
    batch.reset(4)
    replay.add()
    poses = [batch.bodies[1]["x"][0]]
    for _ in range(5):
        batch.step(random_actions(rng, batch), reset=False)
        replay.add()
        poses.append(batch.bodies[1]["x"][0])
    replay.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "http" not in page.replace("http-equiv", "")  # it needs nothing else
    data = json.loads(page.split("let replay = ")[1].split(";\n")[0])
    assert len(data["frames"]) == len(replay) == 6
    assert [frame["pose"][0][0] for frame in data["frames"]] == pytest.approx(poses, abs=1e-3)
    moving = len(data["frames"][0]["pose"])
    assert len(data["kind"]) == len(data["half"]) == moving + len(data["walls"])
    assert len(data["frames"][0]["ranges"]) == 4


def test_a_new_episode_begins_the_page_anew() -> None:
    batch = HideAndSeekBatch("quadrant", 1)
    replay = Replay(batch)
    for _ in range(2):
        batch.reset()
        replay.add()
    assert len(replay) == 1
