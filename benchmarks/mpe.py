"""MAPPO on the particle worlds of mpe2, beside what others say that they reached.

simple_spread: three agents share the covering of three landmarks and must not collide; a return is that of one agent
over 25 steps, the mean of the three. In Mava's issue 315 MADDPG came to about -25 after three million steps and MAD4PG
close to -20; with MAPPO three agents together came to about -70, which is -23 each (PettingZoo's issue 1304).
simple_tag: three chasers, who get 10 each time that one of them touches the prey, and one that flees, both learning;
then each side against the other side of a network that has learnt nothing, in the same episodes.

    python benchmarks/mpe.py [--steps 1000000] [--seeds 3] [--num-envs 64]

It wants mpe2 (pip install mpe2).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from hide_and_seek_learning import palestra

from palestra.agents.evaluation import interval
from palestra.agents.mappo import MAPPO, MAPPOConfig
from palestra.agents.team_match import NetworkPlayer, RandomTeam, play_teams
from palestra.cli.run import Run, runs_folder
from palestra.cli.setup import trained_agent
from palestra.envs.spec import EnvSpec

ENV = "palestra/Parallel-v0"
PUBLISHED = {"MADDPG, 3 M steps (Mava #315)": -25.0, "MAPPO (PettingZoo #1304)": -70.0 / 3, "MAD4PG (Mava #315)": -20.0}
EPISODES = 1000


def trained(world: str, seed: int, options: argparse.Namespace) -> Path:
    """Trains, unless it is there, and returns the run."""
    run = runs_folder() / f"{world}-{seed}"
    words = ["--env", ENV, "--env-kwargs", f"module=mpe2.{world}_v3", "--steps", str(options.steps)]
    words += ["--num-envs", str(options.num_envs), "--seed", str(seed), "--name", run.name, *options.rest]
    if not run.exists():
        palestra("train", "mappo", *words)
    return run


def spread(options: argparse.Namespace) -> dict[str, Any]:
    """Prints and returns what the agents get."""
    runs = [trained("simple_spread", seed, options) for seed in range(options.seeds)]
    said = [palestra("evaluate", str(run), "--episodes", str(EPISODES), "--json") for run in runs]
    reports = [json.loads(text) for text in said]
    means = np.array([report["mean"] for report in reports])
    low, high = interval(means)
    steps = reports[0]["step"]
    print(f"simple_spread, {steps:,} steps, {len(runs)} seeds of {EPISODES} episodes: return of an agent")
    spread_of = (
        "" if low is None else f"   ({low:.1f} to {high:.1f} over seeds; {', '.join(f'{m:.1f}' for m in means)})"
    )
    print(f"{'mappo':34}{means.mean():>7.1f}{spread_of}\n{'random':34}{reports[0]['random']:>7.1f}")
    for name, value in PUBLISHED.items():
        print(f"{name:34}{value:>7.1f}")
    return {"mean": float(means.mean()), "low": low, "high": high, "seeds": means.tolist(), "steps": steps}


def tag(options: argparse.Namespace) -> dict[str, Any]:
    """Prints and returns what chasers and prey get against each other and against those who learnt nothing."""
    env = EnvSpec(ENV, 50, kwargs={"module": "mpe2.simple_tag_v3"})
    one = env.make()
    blank = NetworkPlayer("nothing", MAPPO(MAPPOConfig(), one.observation_space, one.action_space, 0).policy)
    figures: dict[str, Any] = {}
    print(f"simple_tag, {options.steps:,} steps, {options.seeds} seeds of {EPISODES // 2} episodes")
    print(f"{'chasers':10}{'prey':10}{'a chaser gets':>14}{'the prey gets':>15}")
    learnt = []
    for seed in range(options.seeds):
        agent: Any = trained_agent(Run.open(str(trained("simple_tag", seed, options)), "agent"))
        learnt.append(NetworkPlayer("mappo", agent.policy))
    for other in (blank, RandomTeam()):
        got: dict[tuple[str, str], list[tuple[float, ...]]] = {}
        for player in learnt:
            for pair in play_teams([player, other], env, EPISODES // 2):
                for game in pair:
                    names = ("mappo", other.name) if game.players == (0, 1) else (other.name, "mappo")
                    got.setdefault(names, []).append(game.returns)
        for names, returns in got.items():
            mean = np.mean(returns, axis=0)
            print(f"{names[0]:10}{names[1]:10}{mean[0]:>14.2f}{mean[1]:>15.2f}", flush=True)
            figures[" against ".join(names)] = mean.tolist()
    returns = [one.returns for player in learnt for one, _ in play_teams([player, player], env, EPISODES // 2)]
    mean = np.mean(returns, axis=0)
    print(f"{'mappo':10}{'mappo':10}{mean[0]:>14.2f}{mean[1]:>15.2f}")
    return figures | {"mappo against mappo": mean.tolist()}


def main() -> None:
    """Prints both tables, and as the last line a JSON object; other options go to the trainings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--num-envs", type=int, default=64)
    options, rest = parser.parse_known_args()
    options.rest = rest
    print(json.dumps({"spread": spread(options), "tag": tag(options)}))


if __name__ == "__main__":
    main()
