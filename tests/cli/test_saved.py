"""Saved networks by the name of a run, its path, or their folder."""

from pathlib import Path

import pytest

from palestra.cli.run import Run
from palestra.cli.saved import folder_of, is_network, saved_network
from palestra.networks import create
from palestra.networks.pretrained import save_pretrained


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_and_a_folder_hold_networks() -> None:
    run = Run.create("a", {"fit": "mlp", "data": {"name": "x"}})
    with pytest.raises(ValueError, match="holds no network yet"):
        folder_of("a")
    save_pretrained(create("mlp", in_channels=2), run.path / "network", data="x")
    save_pretrained(create("mlp", in_channels=3), "alone")
    assert folder_of("a") == folder_of("runs/a") == Path("runs/a/network")
    assert saved_network("a")[1] == {"data": "x"}
    assert saved_network("alone")[0].config["in_channels"] == 3
    assert [is_network(name) for name in ("a", "runs/a", "alone", "nothing")] == [True, True, True, False]


def test_runs_of_agents_are_no_networks_but_may_hold_one() -> None:
    run = Run.create("agent", {"agent": "dqn"})
    save_pretrained(create("mlp", in_channels=2), run.path / "network")
    assert not is_network("agent")
    assert saved_network("agent")[0].config["network"] == "mlp"


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="there is no run 'nothing'"):
        folder_of("nothing")
