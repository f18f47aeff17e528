"""A run is a folder: `config.json`, `metrics.jsonl`, `checkpoint/`, `evaluation.json`, `videos/`, `wandb/`."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from palestra.cli import checkpoint

KINDS = {"agent": "an agent's run of `palestra train`", "fit": "a network's run of `palestra fit`"}
CLOCK = "time/"  # metrics under this name depend on the clock and differ from one execution to the next


def runs_folder() -> Path:
    """Returns where runs are kept: `runs` here, or what the variable PALESTRA_RUNS says."""
    return Path(os.environ.get("PALESTRA_RUNS", "runs"))


class Run:
    """One training and what came of it.

    `config.json` is written once; a row of `metrics.jsonl` is a JSON object with `step`.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        self.config = config

    @classmethod
    def create(cls, name: str, config: dict[str, Any], state: dict[str, Any] | None = None) -> "Run":
        """Makes the folder of a new run; `state` is a checkpoint of step 0, if it cannot be made from the config.

        Raises:
            ValueError: there is one of that name.
        """
        path = runs_folder() / name
        if path.exists():
            raise ValueError(f"{path} exists; choose another --name, or go on with `palestra train --resume {path}`")
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        write_json(unfinished / "config.json", config)
        if state is not None:
            checkpoint.save(unfinished / "checkpoint", 0, state)
        unfinished.rename(path)  # so that a run has its config.json from its first moment on
        return cls(path, config)

    @classmethod
    def open(cls, name: str, kind: Literal["agent", "fit"] | None = None) -> "Run":
        """Opens a run by its path, or by its name among the runs; `kind` says which is wanted.

        Raises:
            ValueError: it is not there, no run, or one of the other kind.
        """
        path = Path(name) if (Path(name) / "config.json").is_file() else runs_folder() / name
        if not path.is_dir():
            raise ValueError(f"there is no run {name!r}; {_known_runs()}")
        try:
            run = cls(path, json.loads((path / "config.json").read_text()))
        except OSError:
            raise ValueError(f"{path} is no run: it has no config.json") from None
        except ValueError as error:
            raise ValueError(f"{path}/config.json is damaged: {error}") from None
        given = next((key for key in KINDS if key in run.config), None)
        if given is None or given != (kind or given):
            wanted = f"{KINDS[kind]} is wanted" if kind else "a run is wanted"
            raise ValueError(f"{path} is {KINDS[given] if given else 'no run'}, but {wanted}")
        return run

    @property
    def title(self) -> str:
        """What was trained, and in what."""
        if "fit" in self.config:
            return f"{self.config['fit']} on {self.config['data']['name']}"
        return f"{self.config['agent']} in {self.config['env']['id']}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Claims the run for this process.

        Raises:
            ValueError: another process trains it.
        """
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ValueError(f"another process is training {self.path}; wait for it or stop it first") from None
            yield

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Appends a row to the metrics.

        Raises:
            ValueError: the disk is full or not writable.
        """
        try:
            with (self.path / "metrics.jsonl").open("a") as file:
                file.write(json.dumps({"step": step, **metrics}) + "\n")
        except OSError as error:
            raise ValueError(
                f"{self.path}/metrics.jsonl could not be written ({error.strerror}); checkpoints are intact: "
                f"make room and go on with palestra train --resume {self.path}"
            ) from error

    def metrics(self) -> list[dict[str, Any]]:
        """Reads the rows of the metrics, without one that was cut short."""
        path = self.path / "metrics.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        rows = []
        for line in lines:
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows

    def rewind(self, step: int) -> None:
        """Drops the metrics and checkpoints after a step."""
        if self.has_checkpoint():
            checkpoint.discard_after(self.path / "checkpoint", step)
        rows = [json.dumps(row) + "\n" for row in self.metrics() if row["step"] <= step]
        write_text(self.path / "metrics.jsonl", "".join(rows))

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Writes a checkpoint; see `cli/checkpoint.py`."""
        checkpoint.save(self.path / "checkpoint", step, state)

    def has_checkpoint(self) -> bool:
        """Says whether there is something to go on from."""
        return bool(checkpoint.saved_steps(self.path / "checkpoint"))

    def load(self, step: int | None = None, *, replay: bool = True) -> tuple[int, dict[str, Any]]:
        """Reads a checkpoint, the last one by default; evaluation leaves the replay memory out."""
        return checkpoint.load(self.path / "checkpoint", step, () if replay else ("replay",))


def free_name(stem: str) -> str:
    """Returns the stem with the first number that is not taken."""
    number = 1
    while (runs_folder() / f"{stem}-{number}").exists():
        number += 1
    return f"{stem}-{number}"


def seeds_of(seed: int) -> tuple[int, int, int]:
    """Splits a run's seed into those of the environments, the agent and evaluation."""
    parts = np.random.SeedSequence(seed).spawn(3)
    env, agent, evaluation = (int(part.generate_state(1)[0] >> 2) for part in parts)
    return env, agent, evaluation


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file whole or not at all."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _known_runs() -> str:
    names = sorted(path.parent.name for path in runs_folder().glob("*/config.json"))
    return f"{runs_folder()} has {', '.join(names[-5:])}" if names else f"{runs_folder()} holds none yet"
