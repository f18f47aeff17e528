"""`palestra match`: what is asked, what is printed, and what is kept."""

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from palestra.agents.match import PlayedGame
from palestra.agents.match_jobs import MatchPlan
from palestra.envs.go.records import record_of, replay
from palestra.envs.go.sgf_files import read_games
from tests.conftest import CommandLine
from tests.gnugo import gnugo

QUICK = ("match", "random", "random", "--env", "tic-tac-toe", "--games")


def test_a_match_in_json(palestra: CommandLine) -> None:
    status, out, _ = palestra(*QUICK, "20", "--seed", "1", "--json")
    report = json.loads(out)
    assert (status, out.count("\n")) == (0, 1)
    assert report["wins"] + report["losses"] + report["draws"] == report["games"] == 20
    assert report["score"] == (report["wins"] + report["draws"] / 2) / 20
    assert report["low"] < report["score"] < report["high"]
    assert report["elo_low"] < report["elo"] < report["elo_high"]
    assert (report["names"], report["env"], report["rules"]) == ({"A": "random", "B": "random"}, "tic-tac-toe", None)
    assert sum(report["as_first"]) == sum(report["as_second"]) == 10
    assert [a + b for a, b in zip(report["as_first"], report["as_second"], strict=True)] == [
        report["wins"],
        report["losses"],
        report["draws"],
    ]
    assert report["ends"] == {"finished": 20}
    assert set(report["seconds_per_move"]) == {"A", "B"}
    assert (report["disagreements"], report["sprt"], report["openings"], report["stopped"]) == (None, None, 0, "")
    kept = Path(report["out"])
    assert kept == Path("runs/match-1")
    assert json.loads((kept / "match.json").read_text()) == report
    games = [json.loads(line) for line in (kept / "games.jsonl").read_text().splitlines()]
    assert [game["game"] for game in games] == list(range(1, 21))
    a_won = sum(game["reward"] == (-1) ** index for index, game in enumerate(games))
    assert a_won == report["wins"]
    assert all(len(game["moves"]) >= 5 for game in games)


def test_a_seed_repeats_a_match_in_one_process_or_two(palestra: CommandLine) -> None:
    games: list[str] = []
    for words in (("--seed", "1"), ("--seed", "1", "--jobs", "2"), ("--seed", "2")):
        assert palestra(*QUICK, "10", "--openings", "1", *words)[0] == 0
        games.append((Path("runs") / f"match-{len(games) + 1}" / "games.jsonl").read_text())
    assert games[0] == games[1] != games[2]


def test_lines_for_people(palestra: CommandLine) -> None:
    status, out, _ = palestra(*QUICK, "6", "--openings", "2", "--sprt", "0,20", "--out", "here")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "A: random; B: random; tic-tac-toe"
    assert lines[1].startswith("6 games: A won ")
    assert "3 openings, each played with colours swapped" in lines
    assert any(line.startswith("SPRT undecided: more games are wanted (log-likelihood ratio ") for line in lines)
    assert lines[-1] == "the games are in here"
    games = [json.loads(line) for line in Path("here/games.jsonl").read_text().splitlines()]
    assert [games[i]["moves"][:2] == games[i + 1]["moves"][:2] for i in (0, 2, 4)] == [True] * 3
    assert {game["opening"] for game in games} == {2}


def scripted(rewards: list[float], then: BaseException | None = None) -> Any:
    """Stands for `play_match`: games whose first player gets these rewards, and then an exception."""

    def play(plan: MatchPlan, jobs: int) -> Generator[PlayedGame]:
        for reward in rewards:
            yield PlayedGame(("one", "two"), (0, 3), 0, reward, "finished", "", -1, (0.5, 0.1), (1, 1))
        if then:
            raise then

    return play


def test_a_counts_for_the_right_player(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A begins games 1 and 3: it wins these, loses game 2, which its opponent begins, and draws game 4."""
    monkeypatch.setattr("palestra.cli.match.play_match", scripted([1.0, 1.0, 1.0, 0.0]))
    report = json.loads(palestra(*QUICK, "4", "--json")[1])
    assert (report["wins"], report["losses"], report["draws"], report["score"]) == (2, 1, 1, 0.625)
    assert (report["as_first"], report["as_second"]) == ([2, 0, 0], [0, 1, 1])
    assert report["seconds_per_move"]["A"] == pytest.approx((0.5 + 0.1) / 2)


def test_all_games_won_is_an_infinite_difference(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palestra.cli.match.play_match", scripted([1.0, -1.0] * 5))
    report = json.loads(palestra(*QUICK, "10", "--json")[1])
    assert (report["wins"], report["elo"], report["elo_high"]) == (10, None, None)
    assert report["elo_low"] > 0
    assert "Elo difference +∞, +166 to +∞" in palestra(*QUICK, "10")[1]
    monkeypatch.setattr("palestra.cli.match.play_match", scripted([-1.0, 1.0] * 5))
    assert "Elo difference -∞, -∞ to -166" in palestra(*QUICK, "10")[1]


def test_a_sequential_test_ends_a_match(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wald: wins only, ln(19) / ln(0.640 / 0.5) = 11.9 wins decide for 100 Elo; in pairs as many games."""
    monkeypatch.setattr("palestra.cli.match.play_match", scripted([1.0, -1.0] * 50))
    report = json.loads(palestra(*QUICK, "100", "--sprt", "0,100", "--json")[1])
    assert (report["games"], report["sprt"]["verdict"]) == (12, "accepted")
    assert report["sprt"]["llr"] >= report["sprt"]["bounds"][1]
    paired = json.loads(palestra(*QUICK, "100", "--sprt", "0,100", "--openings", "1", "--json")[1])
    assert paired["sprt"]["verdict"] == "accepted"
    assert paired["games"] % 2 == 0
    out = palestra(*QUICK, "100", "--sprt", "-100,0")[1]
    assert "SPRT accepted: A is stronger by 0 Elo rather than -100" in out


@pytest.mark.parametrize(
    ("stop", "status", "told"), [(KeyboardInterrupt(), 130, "interrupted"), (ValueError("bot ended"), 2, "bot ended")]
)
def test_what_stops_a_match_leaves_the_games_so_far(
    palestra: CommandLine, monkeypatch: pytest.MonkeyPatch, stop: BaseException, status: int, told: str
) -> None:
    monkeypatch.setattr("palestra.cli.match.play_match", scripted([1.0, 1.0, 1.0], stop))
    given, out, _ = palestra(*QUICK, "10")
    assert given == status
    assert "3 games: A won 2, lost 1, drew 0" in out
    assert f"stopped early: {told}" in out
    assert json.loads(Path("runs/match-1/match.json").read_text())["stopped"] == told


def test_what_stops_a_match_at_once_leaves_nothing(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palestra.cli.match.play_match", scripted([], KeyboardInterrupt()))
    assert palestra(*QUICK, "10")[0] == 130
    assert not Path("runs/match-1").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "who plays is missing: palestra match A B"),
        ("random --env tic-tac-toe", "who plays is missing"),
        ("random random", "--env is missing: the game to play, as in --env go-9x9"),
        ("random random --env tic-tac-to", "there is no game 'tic-tac-to'; did you mean tic-tac-toe"),
        ("random randon --env tic-tac-toe", "there is no player 'randon'; did you mean random"),
        ("random random:x=1 --env tic-tac-toe", "random has no option 'x'"),
        ("random gtp:gnugo --env tic-tac-toe", "GTP programs play Go, not tic-tac-toe"),
        ("random random --env tic-tac-toe --komi 0", "--komi is for Go, but tic-tac-toe is played"),
        ("random random --env tic-tac-toe --referee gtp:gnugo", "--referee is for Go"),
        ("random random --env tic-tac-toe --max-plies 10", "--max-plies is 10, but tic-tac-toe has at most 9 moves"),
        ("random random --env tic-tac-toe --openings a.sgf", "no number of plies, and SGF files are for Go"),
        ("random random --env tic-tac-toe --openings 9", "no opening of 9 plies was found"),
        ("random random --env tic-tac-toe --games 0", "--games is 0, but at least 1 is wanted"),
        ("random random --env tic-tac-toe --seed -1", "palestra: --seed is -1, but at least 0 is wanted\n"),
        ("--env tic-tac-toe random random", "who plays is missing: palestra match A B --env GAME"),
        ("random random --env tic-tac-toe --jobs 0", "--jobs is 0, but at least 1 is wanted"),
        ("random random --env tic-tac-toe --sprt 5", "--sprt is '5', but two Elo differences are wanted"),
        ("random random --env tic-tac-toe --sprt 5,1", "must be the smaller, but 5.0, 1.0 came"),
        ("random random --env go-5x5 --rules chines", "there are no rules named 'chines'; did you mean chinese"),
        ("random random --env go-5x5 --openings a.sgf", "a.sgf"),
        ("random random --env go-5x5 --referee gtp:/nowhere/bot", "there is no program '/nowhere/bot'"),
        ("random random --env tic-tac-toe --out .", "--out . exists and is not empty"),
        ("random random --env tic-tac-toe --game 3", "there is no option --game; did you mean --games"),
    ],
)
def test_what_users_get_wrong_is_one_sentence(palestra: CommandLine, words: str, message: str) -> None:
    Path("something").touch()
    status, out, err = palestra("match", *words.split())
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not Path("runs/match-1").exists()


def test_a_run_of_another_environment_cannot_play(palestra: CommandLine) -> None:
    run = palestra("train", "random", "--env", "CartPole-v1", "--steps", "10", "--name", "mine")
    assert run[0] == 0
    status, _, err = palestra("match", "mine", "random", "--env", "tic-tac-toe")
    assert status == 2
    assert "mine was trained in CartPole-v1, which is no game; an agent of palestra/Go-v0 can play" in err
    assert not Path("runs/match-1").exists()


def test_gnu_go_with_a_referee_and_records(palestra: CommandLine) -> None:
    """GNU Go owns the whole board against random play, whatever lies there; the records replay to their ends."""
    program = f"gtp:{gnugo()} --mode gtp --level 1 --chinese-rules --seed 1"
    status, out, _ = palestra(
        "match", program, "random", "--env", "go-5x5", "--rules", "chinese", "--komi", "1.5", "--games", "4", "--json",
        "--openings", "1", "--referee", f"gtp:{gnugo()} --mode gtp --chinese-rules",
    )  # fmt: skip
    report = json.loads(out)
    assert status == 0
    assert report["names"] == {"A": "GNU Go 3.8", "B": "random"}
    assert (report["rules"]["komi"], report["rules"]["size"], report["rules"]["name"]) == (1.5, 5, "chinese")
    assert report["wins"] >= 3  # of 4; White may have no room to live after a lucky opening
    assert isinstance(report["disagreements"], list)
    records = [
        record_of(root, name) for i in range(4) for name, root in read_games(f"{report['out']}/game-{i + 1:04}.sgf")
    ]
    assert [record.black_player for record in records] == ["GNU Go 3.8", "random"] * 2
    assert {record.komi for record in records} == {1.5}
    assert sum(record.winner == 1 + i % 2 for i, record in enumerate(records)) == report["wins"]
    for record in records:
        assert replay(record).over or "R" in record.result


def test_openings_of_a_file(palestra: CommandLine) -> None:
    Path("two.sgf").write_text("(;SZ[5];B[cc];W[bb])(;SZ[5];B[aa])")
    status, out, _ = palestra(
        "match", "random", "random", "--env", "go-5x5", "--games", "6", "--openings", "two.sgf", "--json"
    )
    report = json.loads(out)
    assert (status, report["openings"]) == (0, 2)
    begun = []
    for i in range(6):
        record = record_of(next(root for _, root in read_games(f"{report['out']}/game-{i + 1:04}.sgf")))
        begun.append(record.moves[0][1])
    assert begun == [12, 12, 0, 0, 12, 12]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(;SZ[9];B[cc])", "the opening has 9 lines, but go-5x5 is played"),
        ("(;SZ[5];W[cc])", "moves of alternating colours and no set-up stones"),
        ("(;SZ[5];AB[aa];B[cc])", "moves of alternating colours and no set-up stones"),
        ("(;SZ[5];B[cc];W[cc])", "move 2 of an opening cannot be made: C3 is not legal"),
        ("(;SZ[5];B[];W[])", "an opening of 2 moves ends the game"),
        ("no game", "openings.sgf"),
    ],
)
def test_openings_that_cannot_be_used(palestra: CommandLine, text: str, message: str) -> None:
    Path("openings.sgf").write_text(text)
    status, _, err = palestra("match", "random", "random", "--env", "go-5x5", "--openings", "openings.sgf")
    assert status == 2
    assert message in err
    assert len(err.splitlines()) == 1


def bot(folder: Path, *answers: str) -> str:
    """Writes a Go program that gives these answers to `genmove` in each game, the last one again and again."""
    path = folder / "bot.py"
    path.write_text(
        "import sys\n"
        f"answers, count = {list(answers)}, 0\n"
        "for line in sys.stdin:\n"
        "    word = line.split()[1]\n"
        "    count = 0 if word == 'clear_board' else count + (word == 'genmove')\n"
        "    told = {'genmove': answers[min(count, len(answers)) - 1], 'list_commands': 'genmove'}\n"
        "    print('=', told.get(word, ''), end='\\n\\n', flush=True)\n"
    )
    return f"gtp:{sys.executable} {path}"


def test_a_search_passes_when_it_has_won_as_the_board_stands(palestra: CommandLine, tmp_path: Path) -> None:
    """Komi 7.5 wins for White on an empty board; with one stone all 49 points are Black's."""
    words = ("mcts:simulations=300", bot(tmp_path, "pass"), "--env", "go-7x7", "--games", "2", "--out", "g", "--json")
    status, out, errors = palestra("match", *words)
    assert (status, json.loads(out)["wins"]) == (0, 2), errors
    first, second = (record_of(root) for _, root in read_games("g"))
    assert len(first.moves) == 3
    assert [action for _, action in second.moves] == [49, 49]
    assert (first.result, second.result) == ("B+41.5", "W+7.5")


def test_a_search_does_not_fill_the_board_when_the_other_passes(palestra: CommandLine, tmp_path: Path) -> None:
    """A stone in the middle makes land nobody's; it is taken or outweighed long before the cap (147)."""
    words = ("mcts:simulations=300", bot(tmp_path, "D4", "pass"), "--env", "go-7x7", "--games", "2", "--out", "g")
    assert palestra("match", *words, "--json", "--openings", "1")[0] == 0
    first, second = (record_of(root) for _, root in read_games("g"))
    assert (first.black_player, first.winner, second.winner) == ("mcts", 1, 2)
    assert max(len(first.moves), len(second.moves)) < 49
