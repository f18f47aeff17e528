"""Phases: each sign alone, answers only after what they answer, and scripts."""

import numpy as np

from palestra.agents.hide_phases import PHASES, phases_of
from palestra.agents.team_match import RandomTeam, ScriptPlayer, play_teams
from palestra.envs.spec import EnvSpec

RANDOM = dict.fromkeys({name for phase in PHASES for name in phase.changes}, 1.0)


def test_each_phase_has_its_sign() -> None:
    assert phases_of([RANDOM], RANDOM) == [[]]
    for phase in PHASES:
        for name, change in phase.changes.items():
            rows = [RANDOM | {name: 1.0 + 1.01 * change}, RANDOM | {name: 1.0 + 0.99 * change}]
            assert phases_of(rows, RANDOM) == [[] if phase.after else [phase.name], []]


def test_an_answer_comes_after_the_trick() -> None:
    moved, over = RANDOM | {"ramp_moved_preparation": 2.0}, RANDOM | {"crossings": 2.0}
    assert phases_of([moved, over, RANDOM, moved], RANDOM) == [[], ["ramps"], [], ["ramp defence"]]


def test_scripts_that_chase_show_the_first_phase_and_random_play_none() -> None:
    env = EnvSpec("palestra/HideAndSeek-v0", 64)

    def played(player: ScriptPlayer | RandomTeam, seed: int) -> dict[str, float]:
        games = [one.statistics for one, _ in play_teams([player, player], env, 64, seed)]
        return {name: float(np.mean([game[name] for game in games])) for name in games[0]}

    random = played(RandomTeam(), 0)
    assert phases_of([played(RandomTeam(), 1), played(ScriptPlayer("run"), 1)], random) == [
        [],
        ["running and chasing"],
    ]
