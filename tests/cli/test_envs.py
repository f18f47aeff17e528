from tests.conftest import CommandLine


def test_environments_are_listed_and_searched(palestra: CommandLine) -> None:
    ids = [line.split()[0] for line in palestra("envs")[1].splitlines()]
    assert {"palestra/Maze-v0", "FrozenLake-v1", "CartPole-v1", "ALE/Pong-v5"} <= set(ids)
    assert ids[0].startswith("palestra/")
    assert "CartPole-v0" not in ids
    assert [line.split()[0] for line in palestra("envs", "ale", "pong")[1].splitlines()] == ["ALE/Pong-v5"]
