"""The policy network from games on the command line: training, resuming, measuring, playing."""

import json
from pathlib import Path

import pytest

from palestra.envs.go.position import Position
from palestra.envs.go.records import GameRecord, write_record
from palestra.envs.go.rules import Rules
from tests.conftest import CommandLine

SMALL = ("--env-kwargs", "size=5", "--agent.width", "8", "--agent.blocks", "1")


@pytest.fixture
def games(palestra: CommandLine) -> Path:
    """Writes ten games to a file in the working directory."""
    path = Path("games.sgf")
    for k in range(10):
        position = Position(Rules(5))
        for i in range(8):
            position.play((k + 3 * i) % 25)
        result = "B+R" if k % 2 else "W+R"
        write_record(path, GameRecord(5, tuple(position.moves), komi=0.5, result=result), append=True)
    return path


def test_a_policy_is_learnt_measured_and_plays(games: Path, palestra: CommandLine) -> None:
    with games.open("a") as file:
        file.write("(;SZ[5];B[aa];W[aa])")
    status, out, err = palestra("train", "alphago-sl", *SMALL, "--games", str(games), "--steps", "20", "--name", "p")
    assert (status, out.splitlines()[-1]) == (0, "runs/p")
    assert "warning: 1 games were left out, 10 are used: games.sgf#11: move 2: White A5: a stone is there" in err
    assert "; accuracy " in err
    status, out, _ = palestra("evaluate", "p", "--episodes", "4")
    assert status == 0
    assert "positions of games held out\n  moves   1 to 10" in out
    report = json.loads(palestra("evaluate", "p", "--episodes", "4", "--json")[1])
    assert 0 <= report["top1"] <= report["top5"] <= 1
    assert report["positions"] == 8
    assert palestra("match", "p", "random", "--env", "go-5x5", "--games", "2")[0] == 0
    status, out, _ = palestra("train", "--resume", "p", "--steps", "30")
    assert status == 0  # no more than the 20 updates that were planned


def test_what_is_wrong_is_said_before_a_run_is_made(games: Path, palestra: CommandLine) -> None:
    for words, message in (
        ((), "the games are missing: --games PATH"),
        (("--games=none",), "there is no file or folder none"),
        (("--agent.games", str(games), "--env-kwargs", "size=7"), "there are no games that could be used"),
    ):
        status, out, err = palestra("train", "alphago-sl", *SMALL, *words)
        assert (status, out) == (2, "")
        assert message in err.splitlines()[-1]
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


def test_a_rollout_policy_is_learnt_measured_and_plays(games: Path, palestra: CommandLine) -> None:
    words = ("--env-kwargs", "size=5", "--games", str(games), "--steps", "40", "--name", "r")
    assert palestra("train", "alphago-rollout", *words)[:2] == (0, "runs/r\n")
    report = json.loads(palestra("evaluate", "r", "--episodes", "4", "--json")[1])
    assert 0 <= report["top1"] <= report["top5"] <= 1
    assert palestra("match", "r", "random", "--env", "go-5x5", "--games", "2")[0] == 0
    assert palestra("train", "alphago-rollout", "--resume", "r", "--steps", "50")[0] == 0


def test_a_value_network_is_learnt_measured_and_plays(games: Path, palestra: CommandLine) -> None:
    words = (*SMALL, "--games", str(games), "--steps", "10", "--agent.held-out", "0.3", "--name", "v")
    assert palestra("train", "alphago-value", *words)[:2] == (0, "runs/v\n")
    status, out, _ = palestra("evaluate", "v", "--episodes", "2")
    assert (status, "on what was learnt" in out, "of 3 positions held out" in out) == (0, True, True)
    report = json.loads(palestra("evaluate", "v", "--episodes", "2", "--json")[1])
    assert report["mse_train"] > 0
    assert report["mse_test"] > 0
    status, out, _ = palestra("explain", "v", "--method", "saliency", "--steps", "2", "--out", "v.gif")
    assert (status, out) == (0, "v.gif\n")  # of its one output, whatever move was made
    assert palestra("match", "v", "random", "--env", "go-5x5", "--games", "2")[0] == 0


def test_self_play_goes_on_from_a_policy_of_game_records_and_plays_without_it(
    games: Path, palestra: CommandLine
) -> None:
    words = (*SMALL, "--games", str(games), "--steps", "5", "--name", "p")
    assert palestra("train", "alphago-sl", *words)[0] == 0
    words = ("--env-kwargs", "size=5", "--policy", "runs/p", "--agent.batch-games", "4")
    status, out, err = palestra("train", "alphago-rl", *words, "--steps", "8", "--name", "rl")
    assert (status, out) == (0, "runs/rl\n")
    assert "; return " in err
    Path("runs/p").rename("runs/elsewhere")
    assert palestra("train", "--resume", "rl", "--steps", "12")[0] == 0
    assert palestra("match", "rl", "random", "--env", "go-5x5", "--games", "2")[0] == 0
    player = "alphago:policy=runs/rl,softness=1,temperature=1"
    assert palestra("match", player, "random", "--env", "go-5x5", "--games", "2")[0] == 0
    status, _, err = palestra("train", "alphago-rl", *words[:2])
    assert status == 2
    assert "the parent is missing: --policy RUN, of `palestra train alphago-sl --games PATH --name RUN`" in err


@pytest.mark.parametrize("agent", ["alphago-sl", "alphago-rollout", "alphago-value"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.sgf", b""),
        ("noise.sgf", bytes(range(256)) * 20),
        ("cut.sgf", b"(;SZ[5];B[aa];W[b"),
        ("words.sgf", b"no game at all"),
        ("broken.zip", b"PK\x03\x04 and no more"),
        ("broken.tar.gz", b"\x1f\x8b\x08 and no more"),
        ("other.sgf", b"(;SZ[9];B[aa];W[bb])(;SZ[19];B[aa])"),
        ("illegal.sgf", b"(;SZ[5];B[aa];W[aa])"),
        ("one.sgf", b"(;SZ[5]RE[B+R];B[aa];W[bb])"),
    ],
)
def test_collections_that_cannot_be_used_are_one_sentence(
    agent: str, name: str, content: bytes, palestra: CommandLine
) -> None:
    Path(name).write_bytes(content)
    status, out, err = palestra("train", agent, "--env-kwargs", "size=5", "--games", name)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1].startswith("palestra: ")
    assert "Traceback" not in err
    assert not Path("runs").exists() or not list(Path("runs").iterdir())
