"""Weights & Biases beside the run's own files; what goes wrong there never stops a training."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from palestra.agents.evaluation import Evaluation
from palestra.cli.progress import say
from palestra.cli.run import Run

UPLOAD_TIMEOUT = 300  # seconds that a finished training waits for the upload of what is left
LOGIN_TIMEOUT = 20  # seconds that an online run waits for the server before it goes on offline


class Tracker:
    """A run on Weights & Biases, or nothing at all; a context manager."""

    def __init__(self, mode: str, project: str, run: Run) -> None:
        self._wandb: Any = None
        self._run: Any = None
        if mode != "off":
            self._start(mode, project, run)

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._run:
            self._guard(lambda: self._run.finish(exit_code=1 if error else 0))

    def log(self, step: int, row: Mapping[str, float]) -> None:
        """Logs a row of metrics."""
        if self._run:
            self._guard(lambda: self._run.log({"step": step, **row}))

    def table(self, step: int, result: Evaluation) -> None:
        """Logs the episodes of an evaluation as a table."""
        if self._run:
            pairs = zip(result.returns, result.lengths, strict=True)
            rows = [[step, i, float(score), int(length)] for i, (score, length) in enumerate(pairs)]
            columns = ["step", "episode", "return", "length"]
            self._guard(
                lambda: self._run.log({"step": step, "eval/episodes": self._wandb.Table(columns=columns, data=rows)})
            )

    def video(self, step: int, path: Path) -> None:
        """Logs a video file."""
        if self._run:
            self._guard(lambda: self._run.log({"step": step, "video": self._wandb.Video(str(path))}))

    def image(self, step: int, path: Path) -> None:
        """Logs a picture file."""
        if self._run:
            self._guard(lambda: self._run.log({"step": step, "samples": self._wandb.Image(str(path))}))

    def _start(self, mode: str, project: str, run: Run) -> None:
        wandb = self._wandb = importlib.import_module("wandb")
        limits = {"init_timeout": LOGIN_TIMEOUT, "finish_timeout": UPLOAD_TIMEOUT}
        known = wandb.Settings.model_fields  # older releases know no limit at the end
        settings = wandb.Settings(silent=True, console="off", **{k: v for k, v in limits.items() if k in known})
        options: dict[str, Any] = {
            "project": project,
            "dir": str(run.path.resolve()),
            "config": run.config,
            "settings": settings,
        }
        options |= {"id": run.path.name, "name": run.path.name, "resume": "allow"}
        if mode == "online" and not self._has_login():
            say("Weights & Biases knows no login here (`wandb login`); logging offline, for `wandb sync` later")
            mode = "offline"
        try:
            self._run = wandb.init(mode=mode, **options)
        except Exception as error:  # whatever it is, it must not stop the training
            say(f"Weights & Biases cannot be reached ({_first_line(error)}); logging offline, for `wandb sync` later")
            options["id"] += "-offline"  # its service still holds the id of the attempt
            self._guard(lambda: setattr(self, "_run", wandb.init(mode="offline", **options)))
        if self._run:
            self._guard(lambda: self._run.define_metric("*", step_metric="step"))

    def _has_login(self) -> bool:
        try:
            return bool(self._wandb.login(timeout=1, verify=False))
        except Exception:  # no terminal to ask at, no network: many kinds
            return False

    def _guard(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:  # its library raises errors of many kinds, some of them private
            say(f"Weights & Biases failed ({_first_line(error)}); training goes on without it")
            self._run = None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
