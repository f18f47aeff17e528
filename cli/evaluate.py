"""`palestra evaluate RUN|AGENT`: how good an agent is, with random and optimal beside it; networks: `score.py`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from palestra.agents import AGENTS, agent_class
from palestra.agents.agent import Agent
from palestra.agents.evaluation import evaluate
from palestra.cli.options import key_values, parse
from palestra.cli.progress import Progress, say, warnings_said
from palestra.cli.run import Run, seeds_of, write_json
from palestra.cli.saved import is_network
from palestra.cli.setup import env_of, new_agent, trained_agent
from palestra.envs.spec import EnvSpec

LARGEST_EXACT = 2e8  # S x A x K x horizon up to which random and optimal are computed, not played


@dataclass(frozen=True)
class Options:
    """Plays episodes without exploring and reports the mean return, its 95 % interval and the interquartile mean."""

    env: str = ""
    """Environment to evaluate in; the run's own if left out, and wanted with an agent's name."""
    env_kwargs: tuple[str, ...] = ()
    """Options of the environment, as in --env-kwargs map_name=8x8."""
    protocol: str | None = None
    """Atari only: v5 or nature; the run's own if left out."""
    episodes: int = 100
    """Episodes in all."""
    num_envs: int | None = None
    """Copies of the environment that are stepped together; each plays its share of the episodes."""
    seed: int = 0
    """Root of the randomness of evaluation."""
    from_step: int | None = None
    """Step of the checkpoint to evaluate, if not the last."""
    baselines: bool = True
    """Whether to give the returns of random and, where the model is known, optimal play beside it."""
    json: bool = False
    """Whether to print one JSON object instead of lines for people."""


def main(args: Sequence[str]) -> int:
    """Evaluates; a run's result is kept as its `evaluation.json`."""
    name = args[0] if args and not args[0].startswith("-") else None
    if name is not None and name not in AGENTS and is_network(name):
        from palestra.cli import score

        return score.main(name, args[1:])
    options = parse(Options, list(args if name is None else args[1:]), "palestra evaluate RUN|AGENT")
    if name is None:
        raise ValueError("what to evaluate is missing: palestra evaluate RUN, or palestra evaluate AGENT --env ID")
    run = None if name in AGENTS else Run.open(name, "agent")
    env = _env(options, run)
    agent = trained_agent(run, options.from_step) if run else _untrained(name, env)
    if run and not options.json:
        say(f"{run.path}, step {agent.step:,}")
    result = _play(agent, env, options)
    report = result | {"env": env.id, "step": agent.step, "seed": options.seed}
    for measure in ("accuracy", "errors"):
        if run and hasattr(agent, measure):  # those that learn from examples, on examples held out
            with warnings_said():
                report |= getattr(agent, measure)()
    if options.baselines:
        report |= baselines(env, min(options.episodes, 30), seeds_of(options.seed)[2])
    print(json.dumps(report) if options.json else _lines(report))
    if run:
        write_json(run.path / "evaluation.json", report)
    return 0


def baselines(env: EnvSpec, episodes: int, seed: int) -> dict[str, float]:
    """Returns `random`, the mean return of uniform play, and where the model is known `optimal`; `exact` says how."""
    mdp = env.mdp(1.0)
    horizon = env.max_episode_steps
    if mdp is not None and horizon and mdp.next_state.size * horizon < LARGEST_EXACT:
        from palestra.agents.bellman import optimal_return, policy_return

        uniform = mdp.allowed / mdp.allowed.sum(axis=1, keepdims=True)
        return {
            "random": policy_return(mdp, uniform, horizon),
            "optimal": optimal_return(mdp, horizon),
            "exact": True,
        }
    return {"random": float(evaluate(_untrained("random", env), env, episodes, seed).returns.mean()), "exact": False}


def _env(options: Options, run: Run | None) -> EnvSpec:
    """Returns the environment to evaluate in, with eight copies or as many as are asked for."""
    if run is None and not options.env:
        raise ValueError("--env is missing: where to evaluate the agent, as in --env FrozenLake-v1")
    num_envs = options.num_envs if options.num_envs is not None else min(8, max(options.episodes, 1))
    own = env_of(run.config) if run else EnvSpec(options.env)
    protocol = options.protocol or own.protocol
    if options.env and options.env != own.id:
        return EnvSpec(options.env, num_envs, kwargs=key_values(options.env_kwargs), protocol=protocol)
    return replace(own, num_envs=num_envs, kwargs={**own.kwargs, **key_values(options.env_kwargs)}, protocol=protocol)


def _untrained(name: str, env: EnvSpec) -> Agent:
    config = agent_class(name).defaults(env, agent_class(name).default_steps)
    return new_agent({"agent": name, "env": asdict(env), "agent_config": asdict(config), "seed": 0})


def _play(agent: Agent, env: EnvSpec, options: Options) -> dict[str, Any]:
    scores: list[float] = []
    with Progress("evaluating", options.episodes) as progress:

        def note(score: float) -> None:
            scores.append(score)
            progress.update(len(scores), f"mean {np.mean(scores):.4g}")

        return evaluate(agent, env, options.episodes, seeds_of(options.seed)[2], note).summary()


def _lines(report: dict[str, Any]) -> str:
    """Writes a report for people."""
    spread = f", 95 % interval {report['low']:.4g} to {report['high']:.4g}" if report["low"] is not None else ""
    lines = [f"mean return {report['mean']:.4g}{spread}, interquartile mean {report['iqm']:.4g}"]
    lines += [f"{report['episodes']} episodes of {report['env']}, {report['mean_length']:.4g} steps long on average"]
    if "random" in report:
        how = "computed from the model" if report["exact"] else "played"
        lines += [f"random play gets {report['random']:.4g} ({how})"]
    if "optimal" in report:
        gap = report["optimal"] - report["random"]
        share = f"; this is {(report['mean'] - report['random']) / gap:.1%} of the way from random to it" if gap else ""
        lines += [f"the best possible is {report['optimal']:.4g}{share}"]
    if "top1" in report:
        lines += [f"the move made is the first choice in {report['top1']:.1%} and among five in {report['top5']:.1%}"]
        lines[-1] += f" of {report['positions']:,} positions of games held out"
        lines += [
            f"  moves {move + 1:>3} to {move + 10:<3} {one:6.1%} {five:6.1%}"
            for move, _, one, five in report["by_move"]
        ]
    if "mse_test" in report:
        lines += [
            f"mean squared error {report['mse_train']:.3f} on what was learnt, {report['mse_test']:.3f} on others"
        ]
        lines += [f"the winner is right in {report['sign_test']:.1%} of {report['positions']:,} positions held out"]
    if report["given_up"]:
        lines += [f"{report['given_up']} episodes did not end and were given up"]
    return "\n".join(lines)
