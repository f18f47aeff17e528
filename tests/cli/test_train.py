import json
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from tests.conftest import CommandLine

LAKE = ("--env", "FrozenLake-v1", "--steps", "20000")


def test_a_run_is_written_and_its_path_is_the_last_line(palestra: CommandLine) -> None:
    status, out, err = palestra("train", "q-learning", *LAKE, "--name", "lake", "--eval-episodes", "3")
    assert status == 0
    assert out.splitlines()[-1] == "runs/lake"
    assert "20,000 steps" in err
    config = json.loads(Path("runs/lake/config.json").read_text())
    assert config["agent"] == "q-learning"
    assert config["env"]["id"] == "FrozenLake-v1"
    assert config["checkpoint_every"] == 2000
    assert {"numpy", "torch", "python"} <= config["versions"].keys()
    rows = [json.loads(line) for line in Path("runs/lake/metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 20_000
    assert any("rollout/ep_rew_mean" in row for row in rows)
    assert sum("eval/mean_reward" in row for row in rows) == 10
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)


def test_rows_average_returns_and_keep_the_last_residual(palestra: CommandLine) -> None:
    palestra("train", "value-iteration", "--env", "FrozenLake-v1", "--name", "plan")
    last = json.loads(Path("runs/plan/metrics.jsonl").read_text().splitlines()[-1])
    assert last["plan/residual"] <= 1e-10  # the tolerance; the mean over all sweeps would be far above it
    palestra("train", "random", "--env", "CartPole-v1", "--steps", "2000", "--log-every", "2000", "--name", "r")
    (row,) = map(json.loads, Path("runs/r/metrics.jsonl").read_text().splitlines()[:1])
    assert 15 < row["rollout/ep_rew_mean"] < 30  # 22.2 on average


def test_same_seed_same_run_another_seed_another(palestra: CommandLine) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert palestra("train", "q-learning", *LAKE, "--name", name, "--seed", seed)[0] == 0
    assert weights("a") == weights("b") != weights("c")


def weights(name: str) -> str:
    """The last manifest names each array by the hash of its content, so equal manifests are equal states."""
    return max(Path(f"runs/{name}/checkpoint").glob("*.json")).read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "there is no command 'trian'; did you mean train?"),
        (["train"], "the agent is missing: palestra train AGENT --env ID"),
        (["train", "q-lerning", *LAKE], "there is no agent 'q-lerning'; did you mean q-learning?"),
        (["train", "q-learning"], "--env is missing"),
        (["train", "q-learning", "--env", "FrozenLak-v1"], "no environment 'FrozenLak-v1'; did you mean Frozen"),
        (["train", "dqn", "--env", "ALE/Pung-v5"], "there is no environment 'ALE/Pung-v5'; did you mean ALE/Pong-v5?"),
        (["train", "q-learning", *LAKE, "--agent.gamm", "1"], "did you mean --agent.gamma?"),
        (["train", "q-learning", *LAKE, "--agent.gamma", "2"], "the discount must lie between 0 and 1"),
        (["train", "q-learning", "--env", "CartPole-v1"], "q-learning takes discrete observations"),
        (["train", "dqn", "--env", "Pendulum-v1"], "dqn takes discrete actions"),
        (["train", "ppo", "--env", "CartPole-v1", "--agent.gamma", "2"], "gamma must lie between 0 and 1"),
        (["train", "value-iteration", "--env", "CartPole-v1"], "value-iteration"),
        (["train", "q-learning", "--env", "FrozenLake-v1", "--steps", "0"], "--steps is 0, but at least 1 is wanted"),
        (["train", "q-learning", "--env", "FrozenLake-v1", "--steps", "-3"], "--steps is -3, but at least 1 is wanted"),
        (["train", "q-learning", "--env", "FrozenLake-v1", "--steps", "x"], "but a number of kind int is wanted"),
        (["train", "q-learning", *LAKE, "--num-envs", "0"], "num_envs is 0, but at least one environment is wanted"),
        (["train", "q-learning", *LAKE, "--env-kwargs", "size=3"], "does not take the options {'size': 3}"),
        (["train", "q-learning", "--env", "palestra/GridWorld-v0", "--env-kwargs", "map=../.G"], "start"),
        (["train", "q-learning", "--env", "palestra/GridWorld-v0", "--env-kwargs", "map=S./G"], "row"),
        (["train", "q-learning", "--env", "palestra/GridWorld-v0", "--env-kwargs", "map=S?/.G"], "?"),
        (["train", "dqn", "--env", "ALE/Pong-v5", "--protocol", "v6"], "there are v5 and nature"),
        (["train", "--resume", "nothing"], "there is no run 'nothing'"),
        (["train", "--resume", "nothing", "--seed", "3"], "--seed is fixed by the run"),
        (["train", "--resume", "nothing", "--agent.gamma", "0.5"], "the agent's options are fixed by the run"),
        (["evaluate", "nothing"], "there is no run 'nothing'"),
        (["evaluate", "random"], "--env is missing"),
        (["watch", "nothing"], "there is no run 'nothing'"),
        (["watch", "nothing", "--out", "x.avi"], "--out x.avi must end in .mp4, .gif, .png"),
        (["compare"], "which runs to compare is missing"),
        (["agents", "x"], "`palestra agents` takes no arguments"),
        (["envs", "nowhere"], "no environment's id holds 'nowhere'"),
    ],
)  # fmt: skip
def test_bad_input_gives_one_sentence_status_2_and_leaves_nothing(
    palestra: CommandLine, words: list[str], sentence: str
) -> None:
    status, out, err = palestra(*words)
    assert status == 2
    assert sentence in err
    assert out == ""
    assert len(err.splitlines()) == 1
    assert not Path("runs").exists()


def test_an_existing_name_is_refused_and_kept(palestra: CommandLine) -> None:
    assert palestra("train", "q-learning", *LAKE, "--name", "lake")[0] == 0
    before = weights("lake")
    status, _, err = palestra("train", "q-learning", *LAKE, "--name", "lake")
    assert status == 2
    assert "runs/lake exists; choose another --name" in err
    assert weights("lake") == before


def test_a_run_without_or_with_a_broken_checkpoint_is_said(palestra: CommandLine) -> None:
    palestra("train", "q-learning", *LAKE, "--name", "lake")
    for path in Path("runs/lake/checkpoint").glob("*020000.json"):
        path.write_text(path.read_text()[:-5])
    status, _, err = palestra("evaluate", "lake")
    assert status == 2
    assert "damaged" in err
    assert "--from-step 18000" in err
    assert palestra("evaluate", "lake", "--from-step", "18000")[0] == 0
    status, _, err = palestra("train", "--resume", "lake", "--from-step", "18000")
    assert status == 0
    assert palestra("evaluate", "lake")[0] == 0
    for path in Path("runs/lake/checkpoint").iterdir():
        path.unlink()
    status, _, err = palestra("evaluate", "lake")
    assert status == 2
    assert "holds no checkpoint yet" in err


def test_fewer_steps_than_were_taken_are_refused(palestra: CommandLine) -> None:
    palestra("train", "q-learning", *LAKE, "--name", "lake")
    before = weights("lake")
    status, _, err = palestra("train", "--resume", "lake", "--steps", "10")
    assert status == 2
    assert "runs/lake has taken 20,000 steps already; --steps must be more than that" in err
    assert weights("lake") == before


def test_too_large_a_memory_is_announced(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: types.SimpleNamespace(available=10**9))
    words = ("train", "dqn", "--env", "ALE/Pong-v5", "--steps", "8", "--agent.buffer-size")
    assert "takes 7.2 GB, but only 1.0 GB are free" in palestra(*words, "1000000")[2]
    assert "warning" not in palestra(*words, "1000")[2]


def test_more_steps_go_on_from_the_end(palestra: CommandLine) -> None:
    palestra("train", "q-learning", *LAKE, "--name", "short", "--checkpoint-every", "10000", "--agent.chunk", "1000")
    status, _, _ = palestra("train", "--resume", "short", "--steps", "40000")
    assert status == 0
    assert json.loads(Path("runs/short/metrics.jsonl").read_text().splitlines()[-1])["step"] == 40_000


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_and_says_how_to_go_on(tmp_path: Path, interrupt: signal.Signals) -> None:
    command = [sys.executable, "-m", "palestra.cli", "train", "q-learning", "--env", "Taxi-v4", "--steps", "100000000"]
    process = subprocess.Popen([*command, "--name", "x"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    metrics = tmp_path / "runs" / "x" / "metrics.jsonl"
    while not metrics.exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(interrupt)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "saved; go on with: palestra train --resume runs/x" in err
    assert len(list((tmp_path / "runs/x/checkpoint").glob("*.json"))) >= 1
