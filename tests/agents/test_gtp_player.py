"""Go programs as players and referees: GNU Go, and a small program that does as it is told."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from palestra.agents.gtp_player import GTPPlayer, GTPPlayerConfig, Referee, kata_rules, read_score
from palestra.agents.match import play_game
from palestra.agents.player import RESIGN, ForfeitError, RandomPlayer, RandomPlayerConfig
from palestra.envs.game import move
from palestra.envs.games import make_game
from palestra.envs.go.game import go_game
from palestra.envs.go.gtp_client import GTPError
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.rng import seed_state
from tests.gnugo import gnugo

Scripted = Callable[..., GTPPlayer]
GAME = go_game(Rules(size=5, komi=7))


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Scripted]:
    """Makes players whose program writes down what it is sent; `answers` are given to commands that begin so."""
    made: list[GTPPlayer] = []

    def make(answers: dict[str, str], commands: str = "name version genmove play") -> GTPPlayer:
        path, log = tmp_path / "bot.py", tmp_path / "log"
        path.write_text(
            "import json, sys\n"
            f"answers = json.loads({json.dumps(json.dumps({'list_commands': '= ' + commands, **answers}))})\n"
            f"log = open({str(log)!r}, 'a')\n"
            "for line in sys.stdin:\n"
            "    words = line.strip().partition(' ')[2] or line\n"
            "    print(words, file=log, flush=True)\n"
            "    found = [v for k, v in answers.items() if words.startswith(k)]\n"
            "    print(found[0] if found else '=', end='\\n\\n', flush=True)\n"
        )
        made.append(GTPPlayer(GTPPlayerConfig(f"{sys.executable} {path}", 20.0), GAME, 0))
        return made[-1]

    yield make
    for player in made:
        player.close()


def told(folder: Path) -> list[str]:
    """Returns what the scripted program was told since it last gave its name."""
    lines = (folder / "log").read_text().splitlines()
    return [line for line in lines if line not in ("list_commands", "name", "version")]


def test_gnu_go_beats_random_play_as_the_referee_counts() -> None:
    """GNU Go passes when random play has dead stones left: counted as they lie, they may win; it owns the board."""
    game = go_game(rules_named("chinese", size=9, komi=7))
    command = f"{gnugo()} --mode gtp --level 1 --chinese-rules --positional-superko --seed 1"
    program, referee = GTPPlayer(GTPPlayerConfig(command), game, 0), Referee(command)
    try:
        assert program.name == "GNU Go 3.8"
        played = play_game(game, (RandomPlayer(RandomPlayerConfig(), game, 1), program), (40, 41))
        assert played.names == ("random", "GNU Go 3.8")
        assert played.end in ("finished", "resignation")
        assert played.moves[:2] == (40, 41)
        assert referee.lead(game, played.moves) < -20
    finally:
        program.close()
        referee.close()


def test_what_a_program_is_told(scripted: Scripted, tmp_path: Path) -> None:
    player = scripted({"genmove": "= c3"})
    player.start(GAME, GAME.start)
    state = GAME.start.copy()
    for given in (0, None, 25):
        action = player.choose(state) if given is None else given
        move(GAME, state, action, seed_state(0))
        player.note(action)
    assert told(tmp_path) == [
        "boardsize 5",
        "clear_board",
        "komi 7.0",
        "play black A5",
        "genmove white",  # whose move it need not be told
        "play black pass",
    ]


def test_a_handicap_and_rules_are_told(scripted: Scripted, tmp_path: Path) -> None:
    player = scripted({}, "play genmove kata-set-rules")
    game = go_game(rules_named("aga", size=9, komi=0.5, handicap=2))
    player.start(game, game.start)
    player.note(0)
    lines = told(tmp_path)
    assert json.loads(lines.pop(2).removeprefix("kata-set-rules ")) == {
        "ko": "SITUATIONAL",
        "scoring": "AREA",
        "tax": "NONE",
        "suicide": False,
        "hasButton": False,
        "whiteHandicapBonus": "0",
    }
    assert lines == ["boardsize 9", "clear_board", "komi 1.5", "play black G7", "play black C3", "play white A9"]


def test_rules_by_their_names_at_katago() -> None:
    japanese = kata_rules(go_game(rules_named("japanese", size=9)).start)
    assert (japanese["ko"], japanese["scoring"], japanese["suicide"]) == ("SIMPLE", "TERRITORY", False)
    assert kata_rules(go_game(rules_named("tromp-taylor", size=9)).start)["suicide"] is True


def test_a_program_resigns_or_passes(scripted: Scripted) -> None:
    for answer, action in (("= resign", RESIGN), ("= RESIGN", RESIGN), ("= PASS", 25), ("= a1", 20)):
        player = scripted({"genmove": answer})
        player.start(GAME, GAME.start)
        assert player.choose(GAME.start) == action


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"genmove": "= Z9"}, "'Z9' is no point of this board"),
        ({"genmove": "="}, "'' is no point of this board"),
        ({"genmove": "= A5"}, "A5 is not a legal move"),
        ({"play black C3": "? illegal move"}, "refused black C3, a legal move: illegal move"),
    ],
)
def test_breaking_the_rules_loses(scripted: Scripted, answers: dict[str, str], reason: str) -> None:
    """The program is White; the opening has a black stone at A5, a pass, and Black at C3."""
    white = scripted(answers)
    played = play_game(GAME, (RandomPlayer(RandomPlayerConfig(), GAME, 0), white), (0, 25, 12))
    assert (played.end, played.reward) == ("forfeit", 1.0)
    assert reason in played.detail


def test_a_program_that_fails_is_no_loss_but_an_error(scripted: Scripted) -> None:
    player = scripted({"genmove": "? out of time"})
    player.start(GAME, GAME.start)
    with pytest.raises(GTPError, match="refused 'genmove black': out of time"):
        player.choose(GAME.start)
    with pytest.raises(GTPError, match="refused 'boardsize 5': unacceptable size"):
        scripted({"boardsize": "? unacceptable size"}).start(GAME, GAME.start)


def test_commands_that_cannot_be_read() -> None:
    with pytest.raises(ValueError, match=r"the command 'gnugo \"--mode' cannot be read: no closing quotation"):
        GTPPlayer(GTPPlayerConfig('gnugo "--mode'), GAME, 0)
    with pytest.raises(ValueError, match="GTP programs play Go, not tic-tac-toe"):
        GTPPlayer(GTPPlayerConfig("gnugo"), make_game("tic-tac-toe"), 0)


@pytest.mark.parametrize(("komi", "lead"), [(7.0, -2.0), (0.0, 5.0), (4.5, 0.5)])
def test_a_referee_counts_for_both_colours(komi: float, lead: float) -> None:
    """On 5x5 Black's stones on row 3 hold three rows, 15 points, and White's on row 2 two, 10 points."""
    game = go_game(Rules(size=5, komi=komi))
    moves = [10, 15, 11, 16, 12, 17, 13, 18, 14, 19, 25, 25]
    referee = Referee(
        f"{gnugo()} --mode gtp --chinese-rules"
    )  # a new one: it remembers a position's score by an old komi
    try:
        assert referee.lead(game, moves) == lead
        with pytest.raises(ForfeitError, match="refused black C3, a legal move"):
            referee.lead(game, [12, 25, 12])
        assert referee.lead(game, moves) == lead
    finally:
        referee.close()


def test_a_referee_must_be_able_to_count(scripted: Scripted, tmp_path: Path) -> None:
    scripted({})
    with pytest.raises(GTPError, match="does not know final_score"):
        Referee(f"{sys.executable} {tmp_path / 'bot.py'}")


@pytest.mark.parametrize(
    ("text", "lead"), [("B+3.5", 3.5), ("w+12", -12.0), ("0", 0.0), ("Draw", 0.0), ("B+0.", 0.0), (" W+0.5\n", -0.5)]
)
def test_scores_are_read(text: str, lead: float) -> None:
    assert read_score(text) == lead


@pytest.mark.parametrize("text", ["", "B+R", "B+", "W+1e5", "B+" + "9" * 99, "?"])
def test_what_is_no_score_is_refused(text: str) -> None:
    with pytest.raises(ForfeitError, match="is no score"):
        read_score(text)
