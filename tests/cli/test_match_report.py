"""Counts of a match from the sight of A, who begins the first game."""

from palestra.agents.elo import GAME, PAIR, SPRT
from palestra.agents.match import PlayedGame
from palestra.cli.match_record import Judged
from palestra.cli.match_report import Tally, lines, sequential, standing_of, summary

PLAYED = PlayedGame(("one", "two"), (), 0, 0.0, "finished", "", -1, (2.0, 6.0), (4, 2))


def tally_of(rewards: list[float], openings: int = 0, end: str = "finished") -> Tally:
    tally = Tally(openings)
    for reward in rewards:
        tally.add(PLAYED, Judged(reward, end))
    return tally


def test_points_are_those_of_a() -> None:
    tally = tally_of([1.0, 1.0, -1.0, -1.0, 0.0, 0.0])
    assert tally.points == [1.0, 0.0, 0.0, 1.0, 0.5, 0.5]
    assert (tally.standing.wins, tally.standing.losses, tally.standing.draws) == (2, 2, 2)


def test_pairs_are_looked_at_where_openings_are_played_twice() -> None:
    rewards = [1.0, -1.0, 1.0, 1.0, 0.0, 1.0, 1.0]  # A: both; one; a draw and a loss; and half a pair
    assert tally_of(rewards).outcomes() == ([2, 1, 4], GAME)
    assert tally_of(rewards, openings=4).outcomes() == ([0, 1, 1, 0, 1], PAIR)
    assert sequential(tally_of(rewards, 4), SPRT(0, 50))["llr"] == SPRT(0, 50).llr((0, 1, 1, 0, 1), PAIR)


def test_the_loser_s_name_stands_beside_a_resignation() -> None:
    tally = tally_of([1.0, 1.0, 1.0], end="resignation")
    tally.add(PLAYED, Judged(1.0, "forfeit", detail="it did that"))
    assert tally.ends == {"resignation by B": 2, "resignation by A": 1, "forfeit by A: it did that": 1}


def test_seconds_follow_the_player_not_the_seat() -> None:
    """Seat 0 takes 2 s for 4 moves, seat 1 6 s for 2; in two games both players have 8 s for 6."""
    assert summary(tally_of([1.0]))["seconds_per_move"] == {"A": 0.5, "B": 3.0}
    assert summary(tally_of([1.0, 1.0]))["seconds_per_move"] == {"A": 8 / 6, "B": 8 / 6}


def test_openings_are_counted_as_far_as_they_were_played() -> None:
    assert summary(tally_of([1.0] * 3, openings=50))["openings"] == 2
    assert summary(tally_of([1.0] * 30, openings=5))["openings"] == 5


def test_disagreements_are_told_with_their_games() -> None:
    tally = tally_of([1.0])
    tally.add(PLAYED, Judged(1.0, "two passes", note="GNU Go has W+3"))
    assert tally.disagreements == ["game 2: GNU Go has W+3"]
    report = {
        "players": {"A": "random", "B": "gtp:gnugo"},
        "names": {"A": "random", "B": "GNU Go 3.8"},
        "env": "go-9x9",
        "rules": {"name": "chinese", "komi": 7.0},
        **summary(tally),
        "disagreements": tally.disagreements,
        "sprt": None,
        "out": "runs/match-1",
        "stopped": "",
    }
    assert lines(report).splitlines() == [
        "A: random; B: GNU Go 3.8 (gtp:gnugo); go-9x9, chinese rules, komi 7",
        "2 games: A won 1, lost 1, drew 0 (as first 1-0-0, as second 0-1-0)",
        "A's score 50.0%, 95 % interval 9.5% to 90.5%",  # Wilson's of 1 in 2
        "Elo difference +0, -393 to +393",
        "ends: 1 finished, 1 two passes",
        "seconds a move: A 1.33, B 1.33",
        "the referee counted 1 game otherwise than this engine",
        "game 2: GNU Go has W+3",
        "the games are in runs/match-1",
    ]


def test_points_are_counted() -> None:
    standing = standing_of([1.0, 0.5, 0.0, 1.0])
    assert (standing.wins, standing.losses, standing.draws) == (2, 1, 1)
