"""Networks that were saved, by the name of the run that holds them or by their folder."""

from pathlib import Path
from typing import Any

from torch import nn

from palestra.cli.run import Run
from palestra.networks.pretrained import CONFIG, WEIGHTS, from_pretrained, network_folder, read_config


def folder_of(name: str) -> Path:
    """Returns the folder of a saved network: that of a run, or `name` itself.

    Raises:
        ValueError: there is none.
    """
    if all((Path(name) / file).is_file() for file in (CONFIG, WEIGHTS)):
        return Path(name)
    run = Run.open(name)
    if not (run.path / "network").is_dir():
        raise ValueError(f"{run.path} holds no network yet, only runs of `palestra fit` and of deep agents do")
    return network_folder(run.path)


def saved_network(name: str) -> tuple[nn.Module, dict[str, Any]]:
    """Loads a network and what was written about it: its data and classes.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    folder = folder_of(name)
    return from_pretrained(folder).eval(), read_config(folder)["about"]
