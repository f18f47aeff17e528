"""A run that is killed and resumed ends as one that never was: same metrics, same weights, to the bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

KILLS = int(os.environ.get("PALESTRA_KILLS", "2"))  # moments at which each training is killed; ten for the record
TRAININGS = {
    "q-learning": "train q-learning --env FrozenLake8x8-v1 --steps 20000000 --agent.chunk 10000",
    "q-learning-stepwise": "train q-learning --env Blackjack-v1 --steps 40000",
    "dqn-cartpole": "train dqn --env CartPole-v1 --steps 6000 --num-envs 2 --checkpoint-every 600 --agent.hidden 32 "
    "--eval-episodes 2 --agent.eval-epsilon 0.1",
    "ppo-cartpole": "train ppo --env CartPole-v1 --steps 4096 --checkpoint-every 512 --agent.n-steps 128 "
    "--eval-episodes 2",
    "dqn-atari": "train dqn --env ALE/Pong-v5 --steps 480 --num-envs 2 --checkpoint-every 48 "
    "--agent.learning-starts 100",
    "dqn-bonus": "train dqn --env palestra/DeepSea-v0 --env-kwargs observation=image --steps 3000 --num-envs 2 "
    "--checkpoint-every 300 --agent.encoder mlp --agent.hidden 32 --agent.bonus cts",
    "mappo-league": "train mappo --steps 4800 --num-envs 8 --checkpoint-every 640 --agent.width 16 "
    "--agent.rollout 10 --agent.league 0.5 --agent.join-every 3 --agent.opponent-every 2",
    "fit-images": "fit lenet5 --data digits --data-kwargs size=28 --epochs 6 --checkpoint-every 9 --augment shift "
    "--schedule one-cycle --patience 3",
    "fit-autoencoder": "fit denoising-autoencoder --data digits --epochs 40 --optimizer nesterov --learning-rate 1e-4",
}


def train(folder: Path, words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "palestra.cli", *words.split()]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err


def outcome(folder: Path) -> tuple[list[dict[str, float]], str]:
    """Metrics without what depends on the clock, and the last manifest, which names all arrays by their content."""
    rows = [json.loads(line) for line in (folder / "runs/x/metrics.jsonl").read_text().splitlines()]
    clockless = [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]
    return clockless, max((folder / "runs/x/checkpoint").glob("*.json")).read_text()


def killed(folder: Path, words: str, moments: Iterator[float]) -> int:
    """Trains, kills at the given moments (seconds after each start), resumes, and returns how often it was killed."""
    kills = 0
    process = train(folder, f"{words} --name x")
    for moment in moments:
        time.sleep(moment)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        started = (folder / "runs/x/config.json").exists()
        process = train(folder, f"{words.split()[0]} --resume runs/x" if started else f"{words} --name x")
    finish(process)
    return kills


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_killed_and_resumed_is_as_never_killed(tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    (tmp_path / "whole").mkdir()
    begin = time.monotonic()
    finish(train(tmp_path / "whole", f"{TRAININGS[name]} --name x"))
    length = time.monotonic() - begin
    kills, attempt = 0, 0
    while kills < KILLS:
        folder = tmp_path / str(attempt)
        folder.mkdir()
        kills += killed(folder, TRAININGS[name], (rng.uniform(0.2, 0.95) * length for _ in range(KILLS - kills)))
        assert outcome(folder) == outcome(tmp_path / "whole")
        attempt += 1
