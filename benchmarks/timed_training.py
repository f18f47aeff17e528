"""Trainings that take a given time, by the command line; those that are there already go on where they are."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from palestra.cli.run import runs_folder


def rows_of(run: Path) -> list[dict[str, float]]:
    """Returns what a training has logged, `seconds` so far among it."""
    file, rows, begun, last = run / "metrics.jsonl", list[dict[str, float]](), 0.0, 0.0
    for line in file.read_text().splitlines() if file.exists() else []:
        row = json.loads(line)
        if row["time/elapsed"] < last:  # the clock began anew where training went on
            begun += last
        last = row["time/elapsed"]
        rows.append(row | {"seconds": begun + last})
    return rows


def train_for(name: str, minutes: float, words: Sequence[str]) -> Path:
    """Runs `palestra train` with some words until a time, or goes on with the run of that name; returns its folder."""
    run = runs_folder() / name
    command = [sys.executable, "-m", "palestra.cli", "train"]
    command += ["--resume", str(run)] if run.exists() else [*words, "--name", name, "--log-every", "1"]

    def done() -> bool:
        rows = rows_of(run)
        return bool(rows) and rows[-1]["seconds"] >= 60 * minutes

    if not done():
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not done():
                time.sleep(2.0)
            process.send_signal(signal.SIGINT)
        if not done():
            sys.exit(f"training ended early: {' '.join(command)}")
    return run
