"""`palestra train AGENT --env ID`: trains an agent and keeps what came of it in a run."""

import dataclasses
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

from palestra.agents import AGENTS, agent_class
from palestra.agents.agent import Agent
from palestra.agents.evaluation import evaluate
from palestra.cli import watch
from palestra.cli.log import Log, interruptible
from palestra.cli.options import key_values, parse, parse_known
from palestra.cli.progress import Progress, duration, say, warnings_said
from palestra.cli.run import Run, free_name, runs_folder, seeds_of
from palestra.cli.setup import agent_config_of, env_of, new_agent, restore
from palestra.cli.tracking import Tracker
from palestra.envs.spec import EnvSpec
from palestra.networks import NETWORKS

HELP = ("-h", "--help")
LEAST_SEGMENT = 2_000  # steps of each environment between checkpoints, which cut episodes, where nobody says
PACKAGES = ("palestra", "numpy", "numba", "gymnasium", "ale-py", "torch", "stable-baselines3")


@dataclass(frozen=True)
class Options:
    """Trains an agent: palestra train AGENT --env ID, or palestra train --resume RUN."""

    env: str = ""
    """Id of the environment, as in `palestra envs`."""
    steps: int | None = None
    """Steps of the environments, over all copies; the agent's own default if left out."""
    seed: int = 0
    """Root of all randomness: same seed, same machine, same result."""
    num_envs: int = 1
    """Copies of the environment that are stepped together."""
    protocol: str = "v5"
    """Atari only: v5 (sticky actions) or nature (no-op starts; a lost life ends the learner's episode)."""
    env_kwargs: tuple[str, ...] = ()
    """Options of the environment, as in --env-kwargs map_name=8x8 is_slippery=false."""
    name: str | None = None
    """Name of the run, whose folder is runs/NAME; numbered if left out."""
    checkpoint_every: int | None = None
    """Steps between checkpoints (a tenth of all if left out, or more); all episodes are cut there."""
    log_every: int | None = None
    """Steps between rows of metrics.jsonl (a two-hundredth of all if left out)."""
    eval_episodes: int = 0
    """Episodes of evaluation without exploring at each checkpoint."""
    wandb: Literal["off", "offline", "online"] = "off"
    """Whether to log to Weights & Biases as well."""
    wandb_project: str = "palestra"
    """Project on Weights & Biases."""
    resume: str | None = None
    """A run to go on with, as if it had never stopped; beside it only --steps, --from-step and --wandb."""
    from_step: int | None = None
    """With --resume: the step of the checkpoint to go on from, if not the last."""


def main(args: Sequence[str]) -> int:
    """Trains; the run's path is the last line of stdout."""
    name = args[0] if args and not args[0].startswith("-") else None
    rest = list(args if name is None else args[1:])
    if name is None and set(HELP) & set(rest):
        parse(Options, rest, "palestra train AGENT")
    if name is not None:
        rest = _spelt_out(agent_class(name), rest)
    options, _ = parse_known(Options, [word for word in rest if word not in HELP], "palestra train")
    if options.resume is None:
        run, agent = _fresh(name, rest, options)
        with run.locked():
            return _train(run, agent, options)
    run = _reopened(name, rest)
    with run.locked():
        return _train(run, _restored(run, options), options)


def _spelt_out(kind: Any, rest: list[str]) -> list[str]:
    """Writes an agent's `shortcuts` as its own options, and its `default_env` where no environment is named."""
    for option in getattr(kind, "shortcuts", ()):
        rest = [re.sub(f"^--{option}(?==|$)", f"--agent.{option}", word) for word in rest]
    given = any(re.match("--(env|resume)(=|$)", word) for word in rest)
    return rest if given or not hasattr(kind, "default_env") else [*rest, "--env", kind.default_env]


def _fresh(name: str | None, rest: list[str], basic: Options) -> tuple[Run, Agent]:
    """Checks everything, makes the agent, and only then the run's folder."""
    if name is None:
        raise ValueError(f"the agent is missing: palestra train AGENT --env ID, with AGENT of {', '.join(AGENTS)}")
    kind = agent_class(name)
    if set(HELP) & set(rest):
        parse(with_agent(kind.Config, _defaults(kind, basic)), rest, f"palestra train {name}")
    config = _resolve(kind, name, rest, basic)
    agent = new_agent(config)
    _prepare(agent)
    run_name = basic.name or free_name(f"{name}-{re.split('[/:]', basic.env)[-1]}")
    made = dataclasses.asdict(agent.config)
    if made == config["agent_config"]:
        return Run.create(run_name, config), agent
    # Weights came from a folder: from here on the run has them itself
    config |= {"agent_config": made, "encoder": config["agent_config"]["encoder"]}
    return Run.create(run_name, config, agent.state()), agent


def _prepare(agent: Agent) -> None:
    """Lets an agent that learns from files read them, before anything is written."""
    if hasattr(agent, "prepare"):
        with warnings_said():
            agent.prepare()


def _agent_config(options: Any) -> dict[str, Any]:
    """Returns an agent's own options, an encoder that is the name of a run as the run's path."""
    config = dataclasses.asdict(options)
    run = runs_folder() / str(config.get("encoder") or ".")
    if config.get("encoder", "auto") not in ("auto", *NETWORKS) and (run / "network").is_dir():
        config["encoder"] = str(run)
    return config


def _reopened(name: str | None, rest: list[str]) -> Run:
    if any(word.startswith("--agent.") for word in rest):
        raise ValueError("the agent's options are fixed by the run that --resume goes on with; leave them out")
    options = parse(Options, rest, "palestra train")
    given = {f.name for f in dataclasses.fields(Options) if getattr(options, f.name) != f.default}
    if odd := sorted(given - {"resume", "steps", "from_step", "wandb", "wandb_project"}):
        raise ValueError(f"--{odd[0].replace('_', '-')} is fixed by the run that --resume goes on with; leave it out")
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps is {options.steps}, but at least 1 is wanted")
    run = Run.open(str(options.resume), "agent")
    if name not in (None, run.config["agent"]):
        raise ValueError(f"{run.path} trains {run.config['agent']}, not {name}")
    return run


def _restored(run: Run, options: Options) -> Agent:
    """Makes the agent as it was at the checkpoint, or at the very beginning if the run was killed before the first."""
    agent = new_agent(run.config)
    step = -1
    if run.has_checkpoint() or options.from_step is not None:
        step, state = run.load(options.from_step)
        restore(agent, state, run)
    _prepare(agent)
    if options.steps is not None and options.steps <= agent.step:
        raise ValueError(f"{run.path} has taken {agent.step:,} steps already; --steps must be more than that")
    run.rewind(step)
    return agent


def with_agent(config: type, default: Any) -> type[Any]:
    """Returns the options of training with an agent's own under `agent`."""
    return dataclasses.make_dataclass(
        "TrainOptions", [("agent", config, dataclasses.field(default=default))], bases=(Options,), frozen=True
    )


def _defaults(kind: Any, basic: Options) -> Any:
    if not basic.env:
        return kind.Config()
    return kind.defaults(_env(basic), basic.steps or kind.default_steps)


def _env(basic: Options) -> EnvSpec:
    seed = seeds_of(basic.seed)[0]
    return EnvSpec(basic.env, basic.num_envs, seed, key_values(basic.env_kwargs), basic.protocol)


def _resolve(kind: Any, name: str, rest: list[str], basic: Options) -> dict[str, Any]:
    """Returns what `config.json` will say: nothing is left to defaults that may change."""
    if not basic.env:
        example = getattr(kind, "example_env", "FrozenLake-v1")
        raise ValueError(f"--env is missing: where to train {name}, as in --env {example}")
    for option in ("steps", "checkpoint_every", "log_every"):
        value = getattr(basic, option)
        if value is not None and value < 1:
            raise ValueError(f"--{option.replace('_', '-')} is {value}, but at least 1 is wanted")
    if basic.eval_episodes < 0 or basic.seed < 0:
        raise ValueError("--eval-episodes and --seed cannot be negative")
    options = parse(with_agent(kind.Config, _defaults(kind, basic)), rest, f"palestra train {name}")
    steps = basic.steps or kind.default_steps
    return {
        "agent": name,
        "env": dataclasses.asdict(_env(basic)),
        "agent_config": _agent_config(options.agent),
        "steps": steps,
        "seed": basic.seed,
        "checkpoint_every": basic.checkpoint_every or max(steps // 10, LEAST_SEGMENT * basic.num_envs),
        "log_every": basic.log_every or max(steps // 200, 1),
        "eval_episodes": basic.eval_episodes,
        "versions": {"python": platform.python_version()} | {package: version(package) for package in PACKAGES},
    }


def _train(run: Run, agent: Agent, options: Options) -> int:
    """Trains from checkpoint to checkpoint until all steps are done or somebody interrupts."""
    config = run.config
    steps = options.steps or config["steps"]
    every = config["checkpoint_every"]
    title = f"{config['agent']} in {config['env']['id']}"
    _warn_of_memory(config)
    with (
        Tracker(options.wandb, options.wandb_project, run) as tracker,
        Progress(title, steps, agent.step) as progress,
        interruptible() as interrupted,
    ):
        log = Log(run, tracker, progress, agent.step)
        if agent.step == 0:
            progress.say(f"{title}: {steps:,} steps, run {run.path}")
        progress.update(agent.step, "starting; the first time, kernels are compiled")
        while agent.step < steps and not interrupted:
            boundary = min((agent.step // every + 1) * every, steps)
            for step, metrics in agent.train(env_of(config), boundary):
                log.add(step, metrics)
                if interrupted:
                    break
            log.flush(agent.step)
            if config["eval_episodes"] and not interrupted:
                _evaluate(run, agent, log)
            if hasattr(agent, "save_pretrained"):
                agent.save_pretrained(run.path / "network")
            run.save(agent.step, agent.state())
            if agent.step < boundary:  # nothing left to learn: a planner has reached its tolerance
                break
        if options.wandb != "off" and not interrupted:
            _film(run, agent, tracker)
    if interrupted:
        say(f"interrupted at step {agent.step:,} and saved; go on with: palestra train --resume {run.path}")
    else:
        say(f"{title}: {agent.step:,} steps in {duration(progress.elapsed)}; {log.last}")
    print(run.path)
    return 130 if interrupted else 0


def _evaluate(run: Run, agent: Agent, log: Log) -> None:
    seed = seeds_of(run.config["seed"])[2]
    result = evaluate(agent, env_of(run.config), run.config["eval_episodes"], seed)
    row = {"eval/mean_reward": float(result.returns.mean()), "eval/mean_ep_length": float(result.lengths.mean())}
    log.write(agent.step, row)
    log.tracker.table(agent.step, result)


def _film(run: Run, agent: Agent, tracker: Tracker) -> None:
    """Shows on Weights & Biases what the agent does at the end, where the environment draws pictures."""
    options = watch.Options()
    path = watch.video_path(run, agent, options)
    try:
        watch.film(agent, env_of(run.config), options, path)
    except ValueError as error:
        say(f"no video: {error}")
    else:
        tracker.video(agent.step, path)


def _warn_of_memory(config: dict[str, Any]) -> None:
    """Says so before an agent takes more memory than the machine has to give."""
    kind = agent_class(config["agent"])
    if not hasattr(kind, "bytes_needed"):
        return
    import psutil

    needed = kind.bytes_needed(agent_config_of(config), env_of(config))
    free = psutil.virtual_memory().available
    if needed > free:
        say(
            f"warning: the replay memory of {config['agent']} takes {needed / 1e9:.1f} GB, but only {free / 1e9:.1f}"
            " GB are free; a smaller --agent.buffer-size needs less"
        )
