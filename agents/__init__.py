"""Who acts and learns. `AGENTS` is the only list of them."""

import difflib
import importlib
from typing import Any

AGENTS = {  # name on the command line: (module, class, what it is)
    "q-learning": ("q_learning", "QLearning", "tabular Q-learning, compiled where the model is known"),
    "value-iteration": ("value_iteration", "ValueIteration", "exact planning on a known MDP by value iteration"),
    "policy-iteration": ("policy_iteration", "PolicyIteration", "exact planning on a known MDP by policy iteration"),
    "mcts": ("mcts_planner", "MCTSPlanner", "Monte-Carlo tree search from each state of a known MDP"),
    "dqn": ("dqn", "DQN", "deep Q-network on vectors and pixels"),
    "ppo": ("sb3", "PPO", "proximal policy optimisation, by stable-baselines3"),
    "a2c": ("sb3", "A2C", "advantage actor-critic, by stable-baselines3"),
    "alphago-sl": ("alphago_sl", "AlphaGoSL", "AlphaGo's policy network, learnt from game records"),
    "alphago-rollout": ("alphago_rollout", "AlphaGoRollout", "AlphaGo's fast policy for playouts, from game records"),
    "alphazero": ("alphazero", "AlphaZero", "tree search and a network that learns from its own games"),
    "alphago-rl": ("alphago_rl", "AlphaGoRL", "AlphaGo's policy network made stronger by self-play"),
    "alphago-value": ("alphago_value", "AlphaGoValue", "AlphaGo's value network, from the results of game records"),
    "mappo": ("mappo", "MAPPO", "PPO for teams: self-play, a critic that sees everything, entities, memory"),
    "random": ("random", "Random", "uniform over the allowed actions: the floor to compare with"),
}


def agent_class(name: str) -> Any:
    """Imports and returns the class of an agent.

    Raises:
        ValueError: there is no such agent; the nearest name is offered.
    """
    if name not in AGENTS:
        near = difflib.get_close_matches(name, AGENTS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(AGENTS)}"
        raise ValueError(f"there is no agent {name!r}; {hint}")
    module, attribute, _ = AGENTS[name]
    return getattr(importlib.import_module(f"palestra.agents.{module}"), attribute)
