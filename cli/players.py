"""Who plays on the command line: a player of `agents/player.py`, or the trained agent of a run."""

from pathlib import Path
from typing import Any

from palestra.agents import agent_class
from palestra.agents.player import PLAYERS, Player, make_player
from palestra.cli.run import Run, runs_folder
from palestra.envs.game import Game


def player_named(spec: str, game: Game, seed: int, **defaults: Any) -> Player:
    """Makes the player that a command line names; `defaults` are options of any player that has them.

    Raises:
        ValueError: there is no such player, option or run, or it cannot play this game.
    """
    if spec.partition(":")[0] in PLAYERS or not _is_run(spec):
        return make_player(spec, game, seed, **defaults)
    from palestra.agents.agent_player import agent_player
    from palestra.cli.setup import env_of, trained_agent

    run = Run.open(spec, "agent")
    return agent_player(run.path.name, trained_agent(run), env_of(run.config), game, seed)


def is_player(spec: str) -> bool:
    """Says whether a name is that of a player, or of a run whose agent plays a game."""
    return spec.partition(":")[0] in PLAYERS or bool(game_of(spec))


def searches(spec: str) -> bool:
    """Says whether a run's agent searches when it plays."""
    return bool(game_of(spec)) and hasattr(agent_class(Run.open(spec, "agent").config["agent"]), "player")


def game_of(spec: str) -> str:
    """Returns the name of the game in which a run's agent was trained, as go-9x9; nothing of others."""
    if spec.partition(":")[0] in PLAYERS or not _is_run(spec):
        return ""
    from palestra.cli.setup import env_of
    from palestra.envs.game_env import game_name

    try:
        config = Run.open(spec, "agent").config
    except ValueError:  # a saved network, or damaged: whoever opens it says so
        return ""
    return game_name(env_of(config).make().unwrapped)


def board_size(spec: str) -> int | None:
    """Returns the size of board that a run's agent was trained on, None for others."""
    name = game_of(spec)
    return int(name.split("x")[-1]) if name.startswith("go-") else None


def _is_run(name: str) -> bool:
    return any((folder / "config.json").is_file() for folder in (Path(name), runs_folder() / name))
