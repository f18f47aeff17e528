"""What tables need: discrete spaces, and for planning a known model."""

from typing import Any

import gymnasium as gym

from palestra.envs.mdp import MDP
from palestra.envs.spec import EnvSpec


def table_size(agent: str, obs_space: gym.Space[Any], action_space: gym.Space[Any]) -> tuple[int, int]:
    """Returns the numbers of states and actions of discrete spaces.

    Raises:
        ValueError: a space is not discrete.
    """
    for what, space in (("observations", obs_space), ("actions", action_space)):
        if not isinstance(space, gym.spaces.Discrete):
            raise ValueError(
                f"{agent} takes discrete observations and actions, but here the {what} are {space}; try dqn or ppo"
            )
    return int(obs_space.n), int(action_space.n)  # type: ignore[attr-defined]


def known_model(agent: str, env: EnvSpec, discount: float) -> MDP:
    """Returns the model to plan with.

    Raises:
        ValueError: the environment exposes none.
    """
    mdp = env.mdp(discount)
    if mdp is None:
        raise ValueError(
            f"{agent} plans on a known model, but {env.id} exposes none (a table `P` or a method `mdp`); "
            "q-learning needs none"
        )
    return mdp


def check_discount(discount: float) -> None:
    """Checks γ.

    Raises:
        ValueError: it is outside [0, 1].
    """
    if not 0.0 <= discount <= 1.0:
        raise ValueError(f"the discount must lie between 0 and 1, but is {discount}")


def default_discount(env: EnvSpec) -> float:
    """Returns 0.99, or the γ nearer to one whose horizon 1 / (1 - γ) is five times the environment's time limit."""
    return max(0.99, 1.0 - 1.0 / (5 * env.max_episode_steps)) if env.max_episode_steps else 0.99
