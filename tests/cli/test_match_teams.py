"""`palestra match` of teams: what is printed and kept, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine

QUICK = ("match", "run", "random", "--env", "palestra/HideAndSeek-v0", "--games", "7")


def test_a_match_of_scripts_in_json(palestra: CommandLine) -> None:
    status, out, _ = palestra(*QUICK, "--json", "--seed", "3")
    report = json.loads(out)
    assert status == 0
    assert (report["pairs"], report["games"]) == (4, 8)
    assert report["wins"] + report["losses"] + report["draws"] == 4
    kept = Path(report["out"])
    assert json.loads((kept / "match.json").read_text()) == report
    games = [json.loads(line) for line in (kept / "games.jsonl").read_text().splitlines()]
    assert [game["players"] for game in games] == [[0, 1], [1, 0]] * 4
    mine = [game["returns"][0] for game in games[::2]]
    assert report["by_team"]["hider"]["A"]["mean"] == pytest.approx(sum(mine) / 4)
    assert report["by_team"]["hider"]["B"]["mean"] == -report["by_team"]["seeker"]["A"]["mean"]


def test_lines_and_options_of_the_environment(palestra: CommandLine) -> None:
    status, out, _ = palestra(*QUICK, "--env-kwargs", "scenario=full")
    assert status == 0
    assert "4 pairs of episodes, each played with sides swapped: A won" in out
    assert "as seeker: A gets" in out
    assert "hidden time" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--komi", "7"), "--komi is for board games"),
        (("--jobs", "2"), "--jobs is for board games"),
        (("--env-kwargs", "scenario=ful"), "did you mean full?"),
        (("--env-kwargs", "colour=red"), "does not take the options"),
    ],
)
def test_what_is_refused(palestra: CommandLine, words: tuple[str, ...], said: str) -> None:
    status, _, err = palestra(*QUICK, *words)
    assert (status, Path("runs").exists()) == (2, False)
    assert said in err
    assert "Traceback" not in err


def test_who_is_refused(palestra: CommandLine) -> None:
    for name, said in (("hut", "there is no run 'hut'"), ("frot", "there is no player 'frot'; did you mean fort?")):
        status, _, err = palestra("match", "run", name, "--env", "palestra/HideAndSeek-v0")
        assert status == 2
        assert said in err
    tiny = ("--agent.rollout", "5", "--agent.width", "16", "--name", "sites")
    assert palestra("train", "mappo", "--env", "palestra/Blueprint-v0", "--steps", "5", *tiny)[0] == 0
    status, _, err = palestra("match", "run", "sites", "--env", "palestra/HideAndSeek-v0")
    assert status == 2
    assert "sites plays palestra/Blueprint-v0 with {}, where agents see or do something else than here" in err
    status, _, err = palestra("match", "random", "random", "--env", "go-9x9", "--env-kwargs", "size=5")
    assert status == 2
    assert "--env-kwargs is for environments of teams" in err
