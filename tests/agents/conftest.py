"""Game records that agents learn from."""

from pathlib import Path

import pytest

from palestra.envs.go.position import Position
from palestra.envs.go.records import GameRecord, write_record
from palestra.envs.go.rules import Rules


@pytest.fixture
def games(tmp_path: Path) -> Path:
    """Writes twenty games of ten moves that go over a board of 5x5 in even steps, from a point each, and a pass.

    Black wins all but game 3, which White wins, and game 7, which nobody wins.
    """
    path = tmp_path / "games.sgf"
    for k in range(20):
        position = Position(Rules(5))
        for i in range(10):
            position.play((k + 5 * (i // 2) + 2 * (i % 2)) % 25)
        position.play(25)
        result = {3: "W+R", 7: "0"}.get(k, "B+R")
        write_record(path, GameRecord(5, tuple(position.moves), komi=0.5, result=result), append=True)
    return path
