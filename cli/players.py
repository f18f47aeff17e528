"""Who plays on the command line: a player of `agents/player.py`, or the trained agent of a run."""

import dataclasses
from pathlib import Path
from typing import Any

from palestra.agents import agent_class
from palestra.agents.player import PLAYERS, Player, make_player, read_options
from palestra.cli.run import Run, runs_folder
from palestra.envs.game import Game


def player_named(spec: str, game: Game, seed: int, **defaults: Any) -> Player:
    """Makes the player that a command line names; `defaults` are options of any player that has them.

    A run whose agent searches takes the search's options, as in runs/NAME:simulations=400.

    Raises:
        ValueError: there is no such player, option or run, or it cannot play this game.
    """
    name, _, text = spec.partition(":")
    if name in PLAYERS or not is_run(name):
        return make_player(spec, game, seed, **defaults)
    from palestra.agents.agent_player import agent_player
    from palestra.agents.mcts import Config
    from palestra.cli.setup import env_of, trained_agent

    run = Run.open(name, "agent")
    agent = trained_agent(run)
    options = read_options(Config, text, run.path.name)
    if options and not hasattr(agent, "player"):
        raise ValueError(f"{run.path.name} does not search when it plays, so that it has no option {text!r}")
    known = {field.name for field in dataclasses.fields(Config)}
    options = {key: value for key, value in defaults.items() if key in known} | options
    return agent_player(run.path.name, agent, env_of(run.config), game, seed, options)


def is_player(spec: str) -> bool:
    """Says whether a name is that of a player, or of a run whose agent plays a game."""
    return spec.partition(":")[0] in PLAYERS or bool(game_of(spec))


def searches(spec: str) -> bool:
    """Says whether a run's agent searches when it plays."""
    name = spec.partition(":")[0]
    return bool(game_of(spec)) and hasattr(agent_class(Run.open(name, "agent").config["agent"]), "player")


def game_of(spec: str) -> str:
    """Returns the name of the game in which a run's agent was trained, as go-9x9; nothing of others."""
    name = spec.partition(":")[0]
    if name in PLAYERS or not is_run(name):
        return ""
    from palestra.cli.setup import env_of
    from palestra.envs.game_env import game_name

    try:
        config = Run.open(name, "agent").config
    except ValueError:  # a saved network, or damaged: whoever opens it says so
        return ""
    return game_name(env_of(config).make().unwrapped)


def board_size(spec: str) -> int | None:
    """Returns the size of board that a run's agent was trained on, None for others."""
    name = game_of(spec)
    return int(name.split("x")[-1]) if name.startswith("go-") else None


def is_run(name: str) -> bool:
    """Says whether a name or path is that of a run."""
    return any((folder / "config.json").is_file() for folder in (Path(name), runs_folder() / name))
