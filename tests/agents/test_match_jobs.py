"""A match has the same games in one process and in several."""

from dataclasses import replace
from typing import Any

import pytest

from palestra.agents.match import PlayedGame
from palestra.agents.match_jobs import MatchPlan, play_match
from palestra.envs.go.rules import Rules
from palestra.networks.threads import cores

PLAN = MatchPlan(("random", "random:playouts=no"), "tic-tac-toe", games=7, seed=3, openings=((4,), (0, 1)))


def without_times(games: list[PlayedGame]) -> list[PlayedGame]:
    return [replace(game, seconds=(0.0, 0.0)) for game in games]


def test_openings_are_played_twice_in_turn() -> None:
    games = list(play_match(PLAN))
    begun = [(4,), (4,), (0, 1), (0, 1), (4,), (4,), (0, 1)]
    assert [game.moves[: game.opening] for game in games] == begun
    assert len({game.moves for game in games}) > 4


def test_a_seed_repeats_a_match_and_another_does_not() -> None:
    games = [without_times(list(play_match(replace(PLAN, seed=seed)))) for seed in (3, 3, 4)]
    assert games[0] == games[1] != games[2]


def test_a_game_depends_on_its_number_alone() -> None:
    longer = without_times(list(play_match(replace(PLAN, games=12))))
    assert longer[:7] == without_times(list(play_match(PLAN)))


def test_several_processes_play_the_same_games() -> None:
    assert without_times(list(play_match(PLAN, jobs=2))) == without_times(list(play_match(PLAN)))


def says_threads(spec: str, *_args: Any, **_options: Any) -> Any:
    """Makes no player, but says how many threads networks would have."""
    from palestra.networks.threads import use_threads

    raise ValueError(f"{use_threads(image=True)} threads")


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many processes as cores a network has one thread in each: more would wait for each other."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    jobs = max(cores(), 2)
    with pytest.raises(ValueError, match=r"^1 threads"):
        list(play_match(replace(PLAN, games=jobs, make=says_threads), jobs))


def test_a_match_may_be_left_early() -> None:
    games = play_match(replace(PLAN, games=1000), jobs=2)
    first = next(games)
    games.close()
    assert without_times([first]) == without_times([next(play_match(PLAN))])


def test_what_fails_in_a_process_is_said_here() -> None:
    plan = MatchPlan(("random", "gtp:/nowhere/bot"), "go-5x5", Rules(size=5), games=2)
    for jobs in (1, 2):
        with pytest.raises(ValueError, match="there is no program '/nowhere/bot'"):
            list(play_match(plan, jobs))
