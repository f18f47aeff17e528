"""From what a run's `config.json` says to its environment and its agent."""

from typing import Any

from palestra.agents import agent_class
from palestra.agents.agent import Agent
from palestra.cli.run import Run, seeds_of
from palestra.envs.spec import EnvSpec


def env_of(config: dict[str, Any]) -> EnvSpec:
    """Returns the environment that a run was trained in."""
    return EnvSpec(**config["env"])


def agent_config_of(config: dict[str, Any]) -> Any:
    """Returns the agent's own options.

    Raises:
        ValueError: they do not fit this version of the agent.
    """
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in config["agent_config"].items()}
    try:
        return agent_class(config["agent"]).Config(**fields)
    except TypeError as error:
        raise ValueError(f"the options of {config['agent']} in config.json do not fit this version: {error}") from None


def new_agent(config: dict[str, Any]) -> Agent:
    """Makes the agent of a run as it was before the first step.

    Raises:
        ValueError: the agent cannot take the environment's spaces, or does not know an option.
    """
    agent_config = agent_config_of(config)
    envs = env_of(config).make_vec(1)
    try:
        obs_space, action_space = envs.single_observation_space, envs.single_action_space
    finally:
        envs.close()
    agent: Agent = agent_class(config["agent"])(agent_config, obs_space, action_space, seeds_of(config["seed"])[1])
    return agent


def trained_agent(run: Run, step: int | None = None) -> Agent:
    """Makes the agent of a run as its checkpoint has it, without what only learning needs.

    Raises:
        ValueError: there is no usable checkpoint.
    """
    _, state = run.load(step, replay=False)
    agent = new_agent(run.config)
    restore(agent, state, run)
    return agent


def restore(agent: Agent, state: dict[str, Any], run: Run) -> None:
    """Puts an agent in a saved state.

    Raises:
        ValueError: the state is not one of this version of the agent.
    """
    try:
        agent.restore(state)
    except (KeyError, TypeError, RuntimeError) as error:
        name = run.config["agent"]
        raise ValueError(f"the checkpoint of {run.path} does not fit this version of {name}: {error!r}") from error
