"""Who won, and what the record of a game says."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from palestra.agents.match import PlayedGame
from palestra.cli.match_record import GoRecords, MoveRecords
from palestra.envs.games import make_game
from palestra.envs.go.records import GameRecord, record_of, replay
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.sgf_files import read_games
from tests.gnugo import gnugo

# On 5x5 Black's stones on row 3 hold three rows, 15 points, and White's on row 2 two, 10 points.
WALLS = (10, 15, 11, 16, 12, 17, 13, 18, 14, 19, 25, 25)
RULES = Rules(size=5, komi=2.5)
ENDED = PlayedGame(("bot", "other [bot]"), WALLS, 2, -1.0, "finished", "", -1, (1.0, 1.0), (5, 5))


def read(path: Path) -> tuple[GameRecord, str]:
    """Returns the record of a file and its comment."""
    root = next(root for _, root in read_games(path))
    return record_of(root), root.text("C")


def test_a_game_that_ended_by_two_passes_is_counted(tmp_path: Path) -> None:
    with GoRecords(RULES, "chinese", tmp_path) as records:
        judged = records.judge(0, ENDED)
    assert (judged.reward, judged.end, judged.note) == (1.0, "two passes", "")
    record, comment = read(tmp_path / "game-0001.sgf")
    assert (record.result, record.winner) == ("B+2.5", 1)
    assert (record.size, record.komi, record.rules) == (5, 2.5, "chinese")
    assert (record.black_player, record.white_player) == ("bot", "other [bot]")
    assert [action for _, action in record.moves] == list(WALLS)
    assert [color for color, _ in record.moves] == [1, 2] * 6
    assert comment == "ended by two passes; an opening of 2 moves was given"
    assert replay(record, RULES).score() == 2.5


def test_a_game_that_was_cut_off_is_counted_as_it_stands(tmp_path: Path) -> None:
    with GoRecords(replace(RULES, max_moves=10), "tromp-taylor", tmp_path) as records:
        judged = records.judge(4, replace(ENDED, moves=WALLS[:10]))
    assert (judged.reward, judged.end) == (1.0, "cut off")
    assert read(tmp_path / "game-0005.sgf")[0].result == "B+2.5"


def test_whole_komi_can_draw(tmp_path: Path) -> None:
    with GoRecords(Rules(size=5, komi=5), "chinese", tmp_path) as records:
        assert records.judge(0, ENDED).reward == 0.0
    assert read(tmp_path / "game-0001.sgf")[0].result == "0"


def test_resigning_and_forfeits_are_not_counted(tmp_path: Path) -> None:
    """Black may not play A3, where its stone is; White refused a move of Black's."""
    given_up = replace(ENDED, moves=WALLS[:10], end="resignation")
    illegal = replace(given_up, end="forfeit", detail="A3 is not a legal move", tried=10)
    refused = replace(given_up, end="forfeit", detail="bot refused black A1", reward=1.0)
    with GoRecords(RULES, "chinese", tmp_path) as records:
        judged = [records.judge(i, played) for i, played in enumerate((given_up, illegal, refused))]
    assert [(j.reward, j.end) for j in judged] == [(-1.0, "resignation"), (-1.0, "forfeit"), (1.0, "forfeit")]
    assert judged[1].detail == "A3 is not a legal move: a stone is there"
    results = [read(tmp_path / f"game-{i + 1:04}.sgf") for i in range(3)]
    assert [record.result for record, _ in results] == ["W+R", "W+F", "B+F"]
    assert "A3 is not a legal move: a stone is there" in results[1][1]
    assert "bot refused black A1" in results[2][1]


def test_a_move_beyond_the_board_needs_no_reason(tmp_path: Path) -> None:
    with GoRecords(RULES, "chinese", tmp_path) as records:
        judged = records.judge(
            0, replace(ENDED, moves=WALLS[:10], end="forfeit", detail="99 is not a legal move", tried=99)
        )
    assert judged.detail == "99 is not a legal move: actions are 0 to 25"


def test_a_referee_decides_and_disagreement_is_noted(tmp_path: Path) -> None:
    """GNU Go agrees on the walls; a white stone in Black's area is dead to it, but here makes nine points nobody's."""
    inside = (*WALLS[:10], 25, 2, 25, 25)  # White's C5: 5 points to 11
    with GoRecords(RULES, "tromp-taylor", tmp_path, referee=f"{gnugo()} --mode gtp --chinese-rules") as records:
        agreed = records.judge(0, ENDED)
        disputed = records.judge(1, replace(ENDED, moves=inside))
    assert (agreed.reward, agreed.note) == (1.0, "")
    assert disputed.reward == 1.0
    assert disputed.note == "GNU Go 3.8 has B+2.5, this engine W+8.5"
    record, comment = read(tmp_path / "game-0002.sgf")
    assert record.result == "B+2.5"
    assert disputed.note in comment


@pytest.mark.parametrize(("rules", "result"), [("chinese", "B+2.5"), ("tromp-taylor", "W+8.5"), ("cgos", "W+8.5")])
def test_dead_stones_are_taken_off_where_the_rules_have_it_so(tmp_path: Path, rules: str, result: str) -> None:
    """White's C5 is dead: 15 points to 10; left there it makes Black's land nobody's: 5 points to 11."""
    with GoRecords(rules_named(rules, size=5, komi=2.5), rules, tmp_path) as records:
        judged = records.judge(0, replace(ENDED, moves=(*WALLS[:10], 25, 2, 25, 25)))
    assert judged.reward == (1.0 if rules == "chinese" else -1.0)
    record, comment = read(tmp_path / "game-0001.sgf")
    assert record.result == result
    assert ("taken off as dead: C5" in comment) == (rules == "chinese")


def test_a_referee_that_cannot_count_leaves_it_to_the_engine(tmp_path: Path) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text(
        "import sys\n"
        "for line in sys.stdin:\n"
        "    number, words = line.split(None, 1)\n"
        "    print({'list_commands': '= final_score', 'final_score': '= ?'}.get(words.strip(), '='), flush=True)\n"
        "    print(flush=True)\n"
    )
    with GoRecords(RULES, "chinese", tmp_path, referee=f"{sys.executable} {bot}") as records:
        judged = records.judge(0, ENDED)
    assert judged.reward == 1.0
    assert judged.note == f"{Path(sys.executable).name} cannot count it: '?' is no score; one as B+3.5 is wanted"


def test_handicap_stones_are_in_the_record(tmp_path: Path) -> None:
    rules = Rules(size=9, komi=0.5, handicap=2)
    with GoRecords(rules, "aga", tmp_path) as records:
        records.judge(0, replace(ENDED, moves=(81, 81), opening=0))
    record, _ = read(tmp_path / "game-0001.sgf")
    assert (record.handicap, record.moves) == (2, ((2, 81), (1, 81)))
    assert replay(record, rules).board.sum() == 2


def test_other_games_are_lines_of_json(tmp_path: Path) -> None:
    game = make_game("tic-tac-toe")
    played = PlayedGame(("one", "two"), (0, 3), 1, 1.0, "forfeit", "4 will not do", -1, (0.0, 0.0), (1, 1))
    with MoveRecords(game, tmp_path) as records:
        assert records.judge(0, played).reward == 1.0
        judged = records.judge(1, replace(played, reward=0.0, end="cut off", detail=""))
    assert (judged.reward, judged.end) == (0.0, "cut off")
    first, second = (json.loads(line) for line in (tmp_path / "games.jsonl").read_text().splitlines())
    assert first == {
        "game": 1,
        "players": ["one", "two"],
        "opening": 1,
        "moves": [game.action_name(0), game.action_name(3)],
        "reward": 1.0,
        "end": "forfeit",
        "detail": "4 will not do",
    }
    assert second["game"] == 2
