"""Pictures and pages of episodes."""

import json
from pathlib import Path

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.replay import Replay
from tests.envs.hide_and_seek.test_solver import random_actions


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
