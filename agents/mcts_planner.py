"""Monte-Carlo planning in a finite MDP whose model is known: before each action a search from the present state.

UCT (Kocsis and Szepesvari, "Bandit based Monte-Carlo planning", 2006) with returns scaled by the least and the
greatest one seen so far in place of a known bound. What is known of a state after so many steps is shared by all ways
to it, and it hands on the value of its best action (`tree.py` and `tree_search.back_up` say after whom). Nothing is
learnt and nothing is kept from one action to the next.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics, Transition
from palestra.agents.mcts import Config as SearchConfig
from palestra.agents.mcts import Search
from palestra.agents.tabular import check_discount, default_discount, known_model, table_size
from palestra.agents.train import interact
from palestra.envs.game import Game
from palestra.envs.mdp_game import STATE, mdp_game
from palestra.envs.spec import EnvSpec


@dataclass(frozen=True)
class MCTSPlannerConfig:
    """Options of `MCTSPlanner`."""

    simulations: int = 1000
    """Simulations before each action."""
    exploration: float = 2.0
    """Constant of UCT, for returns scaled to lie between -1 and 1."""
    horizon: int = 50
    """Steps that a simulation looks ahead at most; what comes later counts nothing."""
    playout: int = 20
    """Steps of random play below the tree, within the horizon; 0 takes what lies there for worth nothing."""
    gamma: float = 0.99
    """Discount γ."""
    env: str = ""
    """Environment whose model is planned with: the one that it acts in, unless another is named."""
    env_kwargs: str = "{}"
    """Options of that environment, as JSON."""

    def __post_init__(self) -> None:
        check_discount(self.gamma)
        for name, least in (("simulations", 1), ("horizon", 1), ("playout", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least {least} is wanted")
        if not 0.0 <= self.exploration < np.inf:
            raise ValueError(f"exploration is {self.exploration}, but a number from 0 on is wanted")


class MCTSPlanner:
    """A planner that searches before each action; what it draws depends on its seed and the actions before alone.

    Raises:
        ValueError: a space is not discrete.
    """

    Config = MCTSPlannerConfig
    default_steps: ClassVar[int] = 1_000

    def __init__(
        self, config: MCTSPlannerConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        table_size("mcts", obs_space, action_space)
        self.config = config
        self.step = 0
        self._seed, self._num_plans = seed, 0
        self._game: Game | None = None
        self._obs_start, self._action_start = int(obs_space.start), int(action_space.start)  # type: ignore[attr-defined]

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> MCTSPlannerConfig:
        """Returns the options with the environment's name, and a γ that suits its time limit."""
        return MCTSPlannerConfig(
            gamma=default_discount(env), env=env.id, env_kwargs=json.dumps(dict(env.kwargs), sort_keys=True)
        )

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Plans from each state `[B]` and returns the most visited actions `[B]` that `mask` `[B, A]` allows.

        Raises:
            ValueError: the environment exposes no model.
        """
        game = self._model()
        allowed = [None] * len(first) if mask is None else list(mask)
        plans = [self._plan(game, int(s) - self._obs_start, row) for s, row in zip(np.ravel(obs), allowed, strict=True)]
        return np.array(plans) + self._action_start

    def learn(self, transition: Transition) -> Metrics:
        """Learns nothing."""
        return {}

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Plays, so that returns and lengths of episodes are reported as other agents' are.

        Raises:
            ValueError: the environment exposes no model.
        """
        self._model(env)
        return interact(self, env, steps)

    def state(self) -> dict[str, Any]:
        """Returns how much has been played and planned."""
        return {"step": self.step, "num_plans": self._num_plans}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step, self._num_plans = int(state["step"]), int(state["num_plans"])

    def _model(self, env: EnvSpec | None = None) -> Game:
        """Returns the model as a game, read when it is first wanted."""
        if self._game is None:
            if not self.config.env and env is None:
                raise ValueError("mcts does not know which model to plan with: name its option env, or train it first")
            named = EnvSpec(self.config.env, kwargs=json.loads(self.config.env_kwargs)) if self.config.env else env
            assert named is not None
            game = mdp_game(known_model("mcts", named, self.config.gamma), 0, self.config.horizon)
            self._game = replace(game, deterministic=False)  # so that ways to a state share what is known of it
        return self._game

    def _plan(self, game: Game, s: int, mask: NDArray[np.bool_] | None) -> int:
        simulations = self.config.simulations
        options = SearchConfig(
            simulations=simulations,
            exploration=self.config.exploration,
            expand_after=1,
            nodes=(simulations + 1) * (game.num_actions + 1) + 64,
        )
        entropy = np.random.SeedSequence([self._seed, self._num_plans]).generate_state(1, np.uint64)[0]
        self._num_plans += 1
        search, state = Search(game, options, int(entropy)), game.start.copy()
        search.settings = search.settings._replace(max_plies=self.config.playout)
        state[STATE] = s
        search.run(state)
        ranked = [child.action for child in search.children()]
        return next((action for action in ranked if mask is None or mask[action]), ranked[0])
