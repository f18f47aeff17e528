"""The ladder of scripted players: each rung is worth what it should be."""

import numpy as np
import pytest

from palestra.agents.hide_scripts import SCRIPTS, ScriptedTeam
from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.statistics import statistics_of


def played(hiders: str, seekers: str, worlds: int = 100, scenario: str = "quadrant") -> dict[str, float]:
    """Returns the mean statistics of an episode in each of many worlds."""
    batch = HideAndSeekBatch(scenario, worlds)
    batch.reset(0)
    teams = [ScriptedTeam(batch, team, script, team) for team, script in enumerate((hiders, seekers))]
    actions = np.zeros((worlds, batch.scenario.agents, 5), np.int64)
    for _ in range(batch.scenario.horizon):
        for team in teams:
            team.act(actions)
        batch.step(actions)
    rows = statistics_of(batch.ended, batch.rules)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def test_who_runs_is_harder_to_see_and_who_chases_sees_more() -> None:
    random, chased = played("random", "random"), played("random", "run")
    running, both = played("run", "random"), played("run", "run")
    assert chased["hidden_time"] < random["hidden_time"] / 3
    assert chased["distance"] < random["distance"] / 2
    assert running["hidden_time"] > random["hidden_time"] + 0.2
    assert both["hidden_time"] > chased["hidden_time"] + 0.1


def test_a_fort_hides_better_than_running() -> None:
    fort, running = played("fort", "run"), played("run", "run")
    assert fort["hidden_time"] > running["hidden_time"] + 0.1
    assert fort["box_moved_preparation"] > 0.5
    assert fort["closed_last"] > 0.2
    assert running["closed_last"] == 0.0


def test_the_same_seed_plays_the_same() -> None:
    assert played("random", "run", 5) == played("random", "run", 5)


def test_an_unknown_script_is_refused() -> None:
    with pytest.raises(ValueError, match=f"there are {', '.join(SCRIPTS)}"):
        ScriptedTeam(HideAndSeekBatch("quadrant", 1), 0, "sneak")
