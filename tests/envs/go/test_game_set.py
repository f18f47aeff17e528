"""Games as arrays beside the same games played move by move, and what is left out of a collection."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from palestra.envs.go.features import FEATURES, feature_set
from palestra.envs.go.game_set import GameSet, Viewer, read_game_set
from palestra.envs.go.records import record_of, replay, replay_all
from palestra.envs.go.sgf_files import read_games

GAMES = """
(;SZ[5]KM[0.5]RE[B+2];B[cc];W[cd];B[dd];W[bd];B[];W[de];B[ce];W[dc])
(;SZ[5]KM[0.5]RE[W+R];B[cc];B[cd];B[dd];W[bd];W[bc])
(;SZ[5]KM[0.5]RE[0];B[bb];W[];B[];W[cc])
(;SZ[5]KM[0.5]AB[bb][dd]AW[cc]PL[W];W[cb];B[bc];W[dc])
(;SZ[5]KM[0.5]RE[?];B[cc];W[cd];B[dd];W[bd];B[];W[de];B[ce];W[dc];B[aa])
"""
BAD = """
(;SZ[5]KM[0.5]RE[B+2];B[cc];W[cd];B[dd];W[bd];B[];W[de];B[ce];W[dc])
(;SZ[7];B[cc])
(;SZ[5];B[cc];W[cc])
(;SZ[5];B[cc];AW[aa];W[bb])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Writes the games to a file."""
    file = tmp_path / "games.sgf"
    file.write_text(GAMES)
    return file


def read(path: Path) -> GameSet:
    return read_game_set(path, report=pytest.fail)


def test_the_games_are_those_of_the_file(path: Path) -> None:
    games = read(path)
    assert (games.size, len(games), games.begin.tolist()) == (5, 5, [0, 8, 13, 16, 19, 28])
    assert games.winner.tolist() == [1, 2, 0, 0, 0]
    assert len(games.starts) == 2  # an empty board and one with stones
    assert games.moves[8:13].tolist() == [2 * a + c for a, c in ((12, 0), (17, 0), (18, 0), (16, 1), (11, 1))]
    assert games.moves[13:16].tolist() == [2 * 6, 2 * 25 + 1, 2 * 25]  # what follows two passes is no move


@pytest.mark.parametrize("features", FEATURES)
def test_positions_are_those_of_the_games_played_move_by_move(path: Path, features: str) -> None:
    games = read(path)
    observe, shape = feature_set(features, 5)
    game, ply = games.positions(np.arange(len(games)), passes=True)
    obs, action = Viewer(games, features).show(game, ply)
    assert obs.shape == (28, *shape)
    records = [record_of(root, source) for source, root in read_games(path)]
    for row, (g, k) in enumerate(zip(game, ply, strict=True)):
        record = records[g]
        color, made = record.moves[k]
        position = replay(replace(record, moves=record.moves[:k]))
        state, expected = position._turned(color, copy=True), np.zeros(int(np.prod(shape)), np.float32)
        observe(state, expected, np.zeros(1))
        np.testing.assert_array_equal(obs[row].ravel(), expected)
        assert action[row] == made


def test_batches_are_the_positions_in_order(path: Path) -> None:
    games = read(path)
    game, ply = games.positions(np.array([4, 0]))
    viewer = Viewer(games, "stones")
    whole = viewer.show(game, ply)
    parts = list(viewer.batches(game, ply, 4))
    for i in range(2):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), whole[i])
    assert (whole[1] != 25).all()  # no passes
    assert len(game) == 8 + 7


def test_a_share_of_the_games_is_held_out(path: Path) -> None:
    games = read(path)
    kept, held = games.split(0.4, seed=3)
    assert (len(kept), len(held)) == (3, 2)
    assert sorted([*kept, *held]) == list(range(5))
    assert all((games.split(0.4, seed=3)[i] == (kept, held)[i]).all() for i in range(2))
    assert any((games.split(0.4, seed=s)[1] != held).any() for s in range(9))
    for share in (0.0, 1.0, 0.99):
        with pytest.raises(ValueError, match="some must be left on both sides"):
            games.split(share, 0)


def test_what_is_left_out_is_said_and_the_rest_goes_on(path: Path, tmp_path: Path) -> None:
    (tmp_path / "more.sgf").write_text(BAD)
    said: list[str] = []
    games = read_game_set(tmp_path, report=said.append)
    assert len(games) == 5  # one of the others is there already
    assert [sentence.split(": ", 1)[1] for sentence in said] == [
        "the board has 7 lines, but 5 are wanted",
        "move 2: White C3: a stone is there",
        "stones are set up in the middle of the game",
    ]
    assert said[0].startswith(f"{tmp_path}/more.sgf#2")
    with pytest.raises(ValueError, match="no games that could be used"):
        read_game_set(path, 9, report=said.append)
    with pytest.raises(ValueError, match="there is no file or folder"):
        read_game_set(tmp_path / "none", report=said.append)


@pytest.mark.slow
def test_the_collection_of_9x9_games_is_read_whole() -> None:
    """Its 9,244 games have 567,608 moves, as `replay_all` counts them."""
    if "PALESTRA_DATA" not in os.environ:
        pytest.skip("PALESTRA_DATA names no folder with go9x9/games.sgf")
    path = Path(os.environ["PALESTRA_DATA"]) / "go9x9" / "games.sgf"
    games = read(path)
    replayed = sum(len(position.moves) for _, position in replay_all(path, report=pytest.fail))
    assert (len(games), len(games.moves)) == (9244, replayed)
