"""Networks that were saved, by the name of the run that holds them or by their folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from palestra.cli.run import Run, runs_folder

if TYPE_CHECKING:
    from torch import nn

FILES = ("config.json", "model.safetensors")  # of a saved network's folder, as in networks/pretrained.py


def is_network(name: str) -> bool:
    """Says whether a name is that of a fitted network's run, or a saved network's folder."""
    if all((Path(name) / file).is_file() for file in FILES):
        return True
    for path in (Path(name), runs_folder() / name):
        if (path / "config.json").is_file():
            return "fit" in Run.open(str(path)).config
    return False


def folder_of(name: str) -> Path:
    """Returns the folder of a saved network: that of a run, or `name` itself.

    Raises:
        ValueError: there is none.
    """
    if all((Path(name) / file).is_file() for file in FILES):
        return Path(name)
    run = Run.open(name)
    if not (run.path / "network").is_dir():
        raise ValueError(f"{run.path} holds no network yet, only runs of `palestra fit` and of deep agents do")
    return run.path / "network"


def saved_network(name: str) -> tuple["nn.Module", dict[str, Any]]:
    """Loads a network and what was written about it: its data and classes.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    from palestra.networks.pretrained import from_pretrained, read_config

    folder = folder_of(name)
    return from_pretrained(folder).eval(), read_config(folder)["about"]
