from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from palestra.cli.watch import SMALLEST
from tests.conftest import CommandLine

# imageio's reader leaves its pipes to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def lake(palestra: CommandLine) -> CommandLine:
    palestra("train", "value-iteration", "--env", "palestra/Classic4x4-v0", "--name", "grid")
    return palestra


def test_a_video_plays_and_its_path_is_the_last_line(lake: CommandLine) -> None:
    status, out, err = lake("watch", "grid", "--seed", "1")
    assert status == 0
    assert "return -" in err
    video = iio.imread(Path(out.splitlines()[-1]))
    assert video.ndim == 4
    assert min(video.shape[1:3]) >= SMALLEST // 2
    assert len(video) >= 2
    assert np.ptp(video) > 50  # something is on it


def test_a_gif_can_be_made(lake: CommandLine) -> None:
    assert lake("watch", "grid", "--out", "x.gif")[0] == 0
    assert len(iio.imread("x.gif", index=None)) >= 2


def test_text_in_the_terminal(lake: CommandLine) -> None:
    status, out, _ = lake("watch", "grid", "--text", "--seed", "1")
    assert status == 0
    assert "return -1" in out


def test_atari_is_shown_in_colour(palestra: CommandLine) -> None:
    palestra("train", "random", "--env", "ALE/Pong-v5", "--steps", "10", "--name", "pong")
    status, out, _ = palestra("watch", "pong", "--steps", "30")
    assert status == 0
    video = iio.imread(out.strip())
    assert video.shape[0] == 31
    assert video.shape[1:] == (420, 320, 3)
    assert (video[..., 0].astype(int) - video[..., 2]).max() > 30  # Pong's ground is brown


def test_what_has_no_text_is_said(palestra: CommandLine) -> None:
    palestra("train", "random", "--env", "ALE/Pong-v5", "--steps", "10", "--name", "pong")
    status, _, err = palestra("watch", "pong", "--text")
    assert status == 2
    assert "cannot be drawn as text" in err
