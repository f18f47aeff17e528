from palestra.agents import AGENTS
from tests.conftest import CommandLine


def test_agents_are_listed_a_line_each(palestra: CommandLine) -> None:
    assert [line.split()[0] for line in palestra("agents")[1].splitlines()] == list(AGENTS)
