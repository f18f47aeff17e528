"""Pre-train, hand over, explain: DQN on images of a grid world with and without an encoder that has seen its frames.

For each seed a convolutional autoencoder is fitted to frames of random play, without rewards. Its encoder, the network
of the Nature DQN, is handed to DQN, which goes on learning all of it (fine-tuned) or only the last layer (frozen).
Beside them are DQN from scratch, also with the mean and spread of the pixels by which the encoder normalises, and a
random encoder, which normalises too, that is frozen. All have the same options, steps and seeds; episodes begin
anywhere, and the score is the expected return from all starts without exploring, computed from the model. Then the
agents are explained: in what share of the starts does the map of `perturbation` point at the agent?

    python benchmarks/encoders.py [seeds [steps]]
"""

import dataclasses
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from palestra.agents.bellman import policy_return
from palestra.agents.dqn import DQN
from palestra.agents.evaluation import interval
from palestra.envs.gridworld import GridWorldVectorEnv
from palestra.envs.spec import EnvSpec
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pretrained import read_config, save_pretrained
from palestra.perception.attribution import attribute
from palestra.perception.data import load_images
from palestra.perception.inputs import inputs_for, network_for

WORLD: dict[str, Any] = {
    "map": "SSSSSS/S#SS#S/S#SS#S/SSS#SS/S#SSS#/SS#SSG",
    "step_reward": -0.02,
    "max_episode_steps": 40,
}
ENV = EnvSpec("palestra/GridWorld-v0", kwargs={**WORLD, "observation": "image"})
FRAMES: dict[str, Any] = {
    "num": 1000,
    "env": {key: value for key, value in WORLD.items() if key != "max_episode_steps"},
}
FIT: dict[str, Any] = {
    "epochs": 24,
    "batch_size": 8,
}  # the agent is a fiftieth of the picture: small batches find it sooner
DQN_OPTIONS: dict[str, Any] = {"gamma": 0.95, "learning_starts": 200, "exploration_steps": 1_500, "train_freq": 2}
ARMS: dict[str, dict[str, Any]] = {
    "from scratch": {"encoder": "auto"},
    "scratch, normalised": {"encoder": "architecture"},
    "random, frozen": {"encoder": "architecture", "freeze": -1},
    "pre-trained, fine-tuned": {"encoder": "folder"},
    "pre-trained, frozen": {"encoder": "folder", "freeze": -1},
}
PEER = "scratch, normalised"  # which differs from the pre-trained ones in the first weights alone
EVERY, EARLY = 250, 2_500  # steps between evaluations; steps after which returns are compared
THRESHOLD = 0.85  # expected return; 0.893 is the best possible


def pretrain(seed: int, folder: str) -> dict[str, float]:
    """Fits an autoencoder to frames and saves it; its `error` is a share of that of the mean picture."""
    torch.set_num_threads(1)
    begin = time.monotonic()
    images = load_images("frames:palestra/GridWorld-v0", seed=seed, **FRAMES)
    torch.manual_seed(seed)
    network = network_for("conv-autoencoder", images)
    for _ in Learner(network, FitConfig(seed=seed, **FIT)).fit(inputs_for(network, images)):
        pass
    seconds = time.monotonic() - begin
    save_pretrained(network, folder)
    seen: Any = images.pixels
    x = seen / 255.0
    with torch.inference_mode():
        error = (network.eval().reconstruct(seen) - x).square().mean()  # type: ignore[operator]
    return {"error": float(error / (x - x.mean(dim=0)).square().mean()), "seconds": seconds}


def learn(arm: str, seed: int, steps: int, folder: str) -> dict[str, Any]:
    """Trains an agent; returns its curve, the seconds of learning, and how often it looks at itself."""
    torch.set_num_threads(1)
    env = dataclasses.replace(ENV, seed=1000 * seed)
    envs = env.make_vec(1)
    encoders = {"auto": "auto", "architecture": architecture(folder), "folder": folder}
    options = {**ARMS[arm], "encoder": encoders[ARMS[arm]["encoder"]]}
    config = dataclasses.replace(DQN.defaults(env, steps), **DQN_OPTIONS, **options)
    agent = DQN(config, envs.single_observation_space, envs.single_action_space, seed)
    curve, seconds = [], 0.0
    for boundary in range(EVERY, steps + 1, EVERY):
        begin = time.monotonic()
        for _ in agent.train(env, boundary):
            pass
        seconds += time.monotonic() - begin
        curve.append(expected_return(agent))
    return {"curve": curve, "seconds": seconds, "looks_at_itself": looks_at_itself(agent)}


def architecture(folder: str) -> str:
    """Returns the pre-trained encoder without its weights: the Nature network on pixels of mean 0 and spread 1."""
    saved = read_config(folder)
    return json.dumps({"network": "nature", "mean": saved["mean"], "std": saved["std"]})


def expected_return(agent: DQN) -> float:
    """Returns what the agent's policy gets on average over all starts."""
    mdp = ENV.mdp(1.0)
    if mdp is None:
        raise ValueError(f"{ENV.id} has no model")
    states = np.arange(mdp.num_states)
    action = agent.act(_world().see(states), np.zeros(len(states), np.bool_), mdp.allowed, explore=False)
    return float(policy_return(mdp, action, WORLD["max_episode_steps"]))


def looks_at_itself(agent: DQN) -> float:
    """Returns the share of the starts where what counts most, of all cells, is the one with the agent on it."""
    world = _world()
    states = world.grid.tables.starts
    pictures = torch.from_numpy(world.see(states))
    height, width = world.grid.cells.shape
    maps = attribute(agent.network, pictures, method="perturbation")
    by_cell = maps.reshape(len(states), height, pictures.shape[2] // height, width, -1).sum(dim=(2, 4)).flatten(1)
    return float((by_cell.argmax(dim=1).numpy() == states).mean())


def _world() -> GridWorldVectorEnv:
    return GridWorldVectorEnv(1, **WORLD, observation="image")


def steps_to_threshold(curve: list[float]) -> int:
    """Returns the steps after which the threshold was first reached, or all steps where it was not."""
    reached = np.flatnonzero(np.array(curve) >= THRESHOLD)
    return EVERY * (int(reached[0]) + 1 if len(reached) else len(curve))


def with_interval(values: NDArray[np.float64] | list[float]) -> dict[str, Any]:
    """Returns mean, Student's 95 % interval of it, and the values."""
    array = np.asarray(values, np.float64)
    low, high = interval(array)
    return {"mean": float(array.mean()), "low": low, "high": high, "values": array.tolist()}


def measured(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Returns the figures of each arm, and of the differences to `PEER` with the same seed."""
    figures: dict[str, Any] = {}
    peers = results[PEER]
    for arm, runs in results.items():
        at = min(EARLY // EVERY, len(runs[0]["curve"])) - 1
        columns = {
            "early": [run["curve"][at] for run in runs],
            "last": [run["curve"][-1] for run in runs],
            "steps": [float(steps_to_threshold(run["curve"])) for run in runs],
            "looks_at_itself": [run["looks_at_itself"] for run in runs],
            "seconds": [run["seconds"] for run in runs],
            "early_gain": [a["curve"][at] - b["curve"][at] for a, b in zip(runs, peers, strict=True)],
            "steps_saved": [
                float(steps_to_threshold(b["curve"]) - steps_to_threshold(a["curve"]))
                for a, b in zip(runs, peers, strict=True)
            ],
        }
        figures[arm] = {name: with_interval(values) for name, values in columns.items()}
        figures[arm]["never"] = sum(max(run["curve"]) < THRESHOLD for run in runs)
        figures[arm]["curve"] = np.mean([run["curve"] for run in runs], axis=0).tolist()
    return figures


def show(figures: dict[str, Any], steps: int) -> None:
    """Prints a row for each arm; intervals are of the mean over seeds."""

    def cell(value: dict[str, Any], digits: int) -> str:
        spread = "" if value["low"] is None else f" ({value['low']:.{digits}f} to {value['high']:.{digits}f})"
        return f"{value['mean']:.{digits}f}{spread}"

    titles = (f"after {min(EARLY, steps):,}", f"after {steps:,}", f"steps to {THRESHOLD}", "steps saved")
    print(f"{'':<25}" + "".join(f"{title:<26}" for title in titles) + f"{'never':<7}{'seconds':<9}looks at itself")
    for arm, row in figures.items():
        cells = [(row["early"], 2), (row["last"], 2), (row["steps"], 0), (row["steps_saved"], 0)]
        print(f"{arm:<25}" + "".join(f"{cell(*pair):<26}" for pair in cells), end="")
        print(f"{row['never']:<7}{row['seconds']['mean']:<9.1f}{row['looks_at_itself']['mean']:.0%}")


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    seeds, steps = (int(word) for word in [*sys.argv[1:], *["10", "6000"][len(sys.argv) - 1 :]])
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor(2, get_context("spawn")) as pool:
        folders = [f"{place}/{seed}" for seed in range(seeds)]
        fits = list(pool.map(pretrain, range(seeds), folders))
        jobs = [(arm, seed, steps, folders[seed]) for seed in range(seeds) for arm in ARMS]
        runs = list(pool.map(learn, *zip(*jobs, strict=True)))
    results: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
    for (arm, *_), run in zip(jobs, runs, strict=True):
        results[arm].append(run)
    figures = measured(results)
    errors, seconds = ([fit[key] for fit in fits] for key in ("error", "seconds"))
    print(
        f"{seeds} seeds in {time.monotonic() - begin:.0f} s; pre-training took {np.mean(seconds):.0f} s each and left ",
        end="",
    )
    print(f"{np.mean(errors):.1%} of the mean picture's error (worst {max(errors):.1%})")
    show(figures, steps)
    print(json.dumps({"pretraining": {"error": errors, "seconds": seconds}, "arms": figures}))


if __name__ == "__main__":
    main()
