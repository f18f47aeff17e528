from palestra.networks import MODELS, NETWORKS
from tests.conftest import CommandLine


def test_networks_are_listed_a_line_each(palestra: CommandLine) -> None:
    assert [line.split()[0] for line in palestra("networks")[1].splitlines()] == [*NETWORKS, *MODELS, "markov-text"]
