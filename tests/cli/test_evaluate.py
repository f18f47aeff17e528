import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine


def test_random_and_optimal_stand_beside_the_score(palestra: CommandLine) -> None:
    palestra("train", "value-iteration", "--env", "FrozenLake-v1", "--name", "lake")
    status, out, _ = palestra("evaluate", "lake", "--episodes", "2000", "--json")
    assert status == 0
    report = json.loads(out)
    assert report["episodes"] == len(report["returns"]) == 2000
    assert report["low"] < report["mean"] < report["high"]
    # exact values for 100 steps, by backward induction over Gymnasium's own table
    assert report["random"] == pytest.approx(0.01393980, abs=1e-8)
    assert report["optimal"] == pytest.approx(0.74419029, abs=1e-8)
    assert report["exact"] is True
    assert report["mean"] == pytest.approx(
        0.7402, abs=4 * 0.4386 / 2000**0.5
    )  # the optimal policy's; 4 standard errors
    assert json.loads(Path("runs/lake/evaluation.json").read_text()) == report
    text = palestra("evaluate", "lake", "--episodes", "20")[1]
    assert "95 % interval" in text
    assert "the best possible is 0.7442" in text


def test_an_agent_can_be_evaluated_untrained(palestra: CommandLine) -> None:
    status, out, _ = palestra("evaluate", "random", "--env", "CartPole-v1", "--episodes", "200", "--json")
    assert status == 0
    report = json.loads(out)
    assert 15 < report["mean"] < 30  # 22.2 steps
    assert report["exact"] is False
    assert not Path("runs").exists()


def test_same_seed_same_evaluation(palestra: CommandLine) -> None:
    words = ("evaluate", "random", "--env", "FrozenLake-v1", "--episodes", "50", "--json", "--seed")
    assert palestra(*words, "1")[1] == palestra(*words, "1")[1] != palestra(*words, "2")[1]
