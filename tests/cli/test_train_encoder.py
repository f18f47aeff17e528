"""`--agent.encoder`: runs take a network from a folder or a run, no longer need it, and leave theirs."""

import json
import random
import shutil
import time
from pathlib import Path

import pytest
import torch

from palestra.agents.encoder import read_encoder
from palestra.networks import create
from palestra.networks.pretrained import from_pretrained, save_pretrained
from tests.cli.test_resume import finish, killed, outcome, train
from tests.conftest import CommandLine

GRID = ("--env", "palestra/GridWorld-v0", "--env-kwargs", "map=S..G", "observation=image", "max_episode_steps=20")
TRAININGS = {
    "dqn": ("--steps", "300", "--checkpoint-every", "100", "--agent.learning-starts", "20", "--agent.freeze", "2"),
    "ppo": ("--steps", "96", "--checkpoint-every", "32", "--agent.n-steps", "32", "--agent.encoder-lr", "1e-5"),
    "a2c": ("--steps", "40", "--checkpoint-every", "20", "--agent.freeze", "-1"),
}


def save_encoder(folder: Path) -> torch.nn.Module:
    torch.manual_seed(0)
    network = create("nature", in_channels=3, num_classes=7, image_size=(36, 144))
    save_pretrained(network, folder)
    return network


@pytest.mark.parametrize("agent", TRAININGS)
def test_a_run_killed_at_its_beginning_needs_no_encoder_any_more(
    palestra: CommandLine, monkeypatch: pytest.MonkeyPatch, agent: str
) -> None:
    save_encoder(Path("encoder"))
    words = ("train", agent, *GRID, *TRAININGS[agent], "--agent.encoder", "encoder")
    status, _, err = palestra(*words, "--name", "whole/runs/x")
    assert status == 0, err
    with monkeypatch.context() as patch:

        def kill(*_: object) -> int:
            raise KeyboardInterrupt

        patch.setattr("palestra.cli.train._train", kill)
        palestra(*words, "--name", "killed/runs/x")
    config = json.loads(Path("runs/killed/runs/x/config.json").read_text())
    assert config["encoder"] == "encoder"
    assert json.loads(config["agent_config"]["encoder"]) == {
        "network": "nature", "in_channels": 3, "image_size": [36, 144],
    }  # fmt: skip
    assert palestra("evaluate", "killed/runs/x", "--episodes", "1")[0] == 0
    shutil.rmtree("encoder")
    status, _, err = palestra("train", "--resume", "killed/runs/x")
    assert status == 0, err
    assert outcome(Path("runs/killed")) == outcome(Path("runs/whole"))
    assert palestra("evaluate", "whole/runs/x", "--episodes", "1")[0] == 0


@pytest.mark.parametrize("agent", TRAININGS)
def test_runs_leave_their_network_which_others_take_by_the_runs_name(palestra: CommandLine, agent: str) -> None:
    assert palestra("train", agent, *GRID, *TRAININGS[agent], "--name", "one")[0] == 0
    kept = from_pretrained("runs/one").state_dict()
    words = ("--agent.freeze", "-1", "--agent.encoder")
    for encoder, name in (("one", "two"), ("runs/one/network", "three")):
        assert palestra("train", "dqn", *GRID, "--steps", "40", *words, encoder, "--name", name)[0] == 0
        taken = from_pretrained(f"runs/{name}").state_dict()
        same = {key for key in taken if key in kept and torch.equal(taken[key], kept[key])}
        assert same >= {key for key in taken if not key.startswith("head.")}
    assert read_encoder("runs/two", (3, 36, 144), {}).network == "nature"


def test_compared_runs_are_told_apart_by_the_encoder_that_was_asked_for(palestra: CommandLine) -> None:
    words = ("train", "dqn", *GRID, "--steps", "60")
    assert palestra(*words, "--name", "one")[0] == 0
    assert palestra(*words, "--name", "two", "--agent.encoder", "one")[0] == 0
    status, out, _ = palestra("compare", "one", "two")
    assert status == 0
    assert ["encoder=auto" in out, "encoder=runs/one" in out, "in_channels" in out] == [True, True, False]


def test_tabular_runs_have_no_network(palestra: CommandLine) -> None:
    assert palestra("train", "q-learning", "--env", "FrozenLake-v1", "--steps", "1000", "--name", "table")[0] == 0
    assert not Path("runs/table/network").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--agent.encoder", "runs/nothing"], "runs/nothing is no saved network: there is no such folder"),
        (["--agent.encoder", "natura"], "there is no network 'natura'; did you mean nature?"),
        (["--agent.encoder", "mlp", "--agent.freeze", "4"], "4 stages were to be frozen, but mlp has 2"),
        (["--agent.encoder-lr", "0"], "encoder_lr must be positive, but is 0; freeze=-1 keeps an encoder constant"),
        (["--agent.encoder-lr", "x"], "--agent.encoder-lr is 'x', but a number of kind float is wanted"),
        (["--agent.freeze", "-3"], "freeze must be a number of stages, or -1 for all of them, but is -3"),
    ],
)
@pytest.mark.parametrize("agent", TRAININGS)
def test_a_bad_encoder_gives_one_sentence_and_leaves_nothing(
    palestra: CommandLine, agent: str, words: list[str], sentence: str
) -> None:
    status, out, err = palestra("train", agent, *GRID, *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert sentence in err
    assert not Path("runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["dqn", "ppo"])
def test_killed_and_resumed_with_a_saved_encoder_is_as_never_killed(tmp_path: Path, agent: str) -> None:
    save_encoder(tmp_path / "encoder")
    steps = {
        "dqn": "--steps 1500 --checkpoint-every 300",
        "ppo": "--steps 1024 --checkpoint-every 128 --agent.n-steps 64",
    }
    words = f"train {agent} {' '.join(GRID)} {steps[agent]} --agent.encoder {tmp_path / 'encoder'} --agent.freeze 1"
    words += " --agent.encoder-lr 1e-4 --eval-episodes 1"
    (tmp_path / "whole").mkdir()
    begin = time.monotonic()
    finish(train(tmp_path / "whole", f"{words} --name x"))
    length = time.monotonic() - begin
    rng = random.Random(agent)
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        kills = killed(folder, words, (rng.uniform(0.4, 0.9) * length for _ in range(2)))
        assert outcome(folder) == outcome(tmp_path / "whole")
        if kills:
            break
    assert kills
