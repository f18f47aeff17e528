"""Who plays on the command line: a player of `agents/player.py`, or the trained agent of a run."""

from pathlib import Path
from typing import Any

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


def board_size(spec: str) -> int | None:
    """Returns the size of board that a run's agent was trained on, None for others."""
    if spec.partition(":")[0] in PLAYERS or not _is_run(spec):
        return None
    from palestra.cli.setup import env_of

    env: Any = env_of(Run.open(spec, "agent").config).make().unwrapped
    if hasattr(env, "rules"):
        return int(env.rules.size)
    name = getattr(getattr(env, "game", None), "name", "")
    return int(name.split("x")[-1]) if name.startswith("go-") else None


def _is_run(name: str) -> bool:
    return any((folder / "config.json").is_file() for folder in (Path(name), runs_folder() / name))
