"""Pictures of games of Go with what the players think."""

import numpy as np
import pytest

from palestra.agents.thoughts import Thoughts
from palestra.cli.game_pictures import GamePictures
from palestra.envs.go.game import go_game, parse_vertex
from palestra.envs.go.rules import Rules


def test_likely_moves_are_coloured_and_the_curve_shows_what_black_is_expected_to_win() -> None:
    start = go_game(Rules(5)).start
    policy = np.zeros(26)
    policy[parse_vertex(5, "C3")] = 1.0
    pictures = GamePictures("one", "other")
    plain = pictures.draw(start, Thoughts(), ["move 1: C3"]).astype(int)
    heated = pictures.draw(start, Thoughts(policy), ["move 1: C3"]).astype(int)
    assert heated.shape == (480, 840, 3)
    changed = np.argwhere((plain != heated).any(axis=2))
    centre, field = changed.mean(axis=0), 480 / 6.6
    assert centre == pytest.approx([240, 240], abs=field / 4)
    assert np.ptp(changed, axis=0).max() < 1.1 * field
    low, high = (drawn_curve("black", value) for value in (-0.8, 0.8))
    assert low > 310 > high  # 0 % is below, 100 % above
    assert drawn_curve("white", 0.8) > 310  # what White expects to win Black does not


def drawn_curve(player: str, value: float) -> float:
    """Returns the mean height of the points that a player's expectation is drawn at."""
    state = go_game(Rules(5)).start.copy()
    state[0] = player == "white"
    pictures = GamePictures("one", "other")
    before = pictures.draw(state, Thoughts(), ["x"]).astype(int)
    after = pictures.draw(state, Thoughts(None, value), ["x"]).astype(int)
    panel = (np.abs(before - after).sum(axis=2) > 0)[:, 480:]
    color = np.array((24, 64, 160) if player == "black" else (190, 40, 30))
    dots = panel & (np.abs(after[:, 480:] - color).sum(axis=2) == 0)
    dots[:200] = False  # the words above
    return float(np.argwhere(dots)[:, 0].mean())
