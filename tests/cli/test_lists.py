"""The commands that list things, help and version."""

from importlib.metadata import version

import pytest

from palestra.agents import AGENTS
from palestra.cli.main import COMMANDS
from palestra.networks import NETWORKS
from tests.conftest import CommandLine


def test_agents_and_networks_are_listed_a_line_each(palestra: CommandLine) -> None:
    assert [line.split()[0] for line in palestra("agents")[1].splitlines()] == list(AGENTS)
    assert [line.split()[0] for line in palestra("networks")[1].splitlines()] == list(NETWORKS)


def test_environments_are_listed_and_searched(palestra: CommandLine) -> None:
    ids = [line.split()[0] for line in palestra("envs")[1].splitlines()]
    assert {"palestra/Maze-v0", "FrozenLake-v1", "CartPole-v1", "ALE/Pong-v5"} <= set(ids)
    assert "CartPole-v0" not in ids
    assert [line.split()[0] for line in palestra("envs", "ale", "pong")[1].splitlines()] == ["ALE/Pong-v5"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(palestra: CommandLine, command: str) -> None:
    try:
        status, out, _ = palestra(command, "--help")
    except SystemExit as exit:  # tyro's own way out
        status, out = int(exit.code or 0), "usage"
    assert status == 0
    assert out


def test_help_and_version(palestra: CommandLine) -> None:
    assert all(name in palestra()[1] for name in COMMANDS)
    assert palestra("--version")[1].strip() == f"palestra {version('palestra')}"
