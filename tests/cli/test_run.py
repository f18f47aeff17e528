import json
from pathlib import Path

import numpy as np
import pytest

from palestra.cli.run import Run, free_name, runs_folder, seeds_of


@pytest.fixture(autouse=True)
def _own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALESTRA_RUNS", str(tmp_path / "runs"))


def test_a_run_is_made_once_and_opened_by_name_and_path() -> None:
    run = Run.create("a", {"agent": "x", "seed": 3})
    assert Run.open("a").config == Run.open(str(run.path)).config == {"agent": "x", "seed": 3}
    with pytest.raises(ValueError, match=r"a exists; choose another --name.*--resume"):
        Run.create("a", {"agent": "x"})


def test_what_is_no_run_is_said() -> None:
    with pytest.raises(ValueError, match=r"no run 'b'.*holds none yet"):
        Run.open("b")
    (runs_folder() / "b").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"no config\.json"):
        Run.open("b")
    (runs_folder() / "b" / "config.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        Run.open("b")


def test_rewinding_drops_later_rows_checkpoints_and_a_row_cut_short() -> None:
    run = Run.create("a", {"agent": "x"})
    for step in (1, 2, 3):
        run.log(step, {"x": step})
        run.save(step, {"x": np.array(step)})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "x"')
    assert [row["step"] for row in run.metrics()] == [1, 2, 3]
    run.rewind(2)
    assert [json.loads(line)["step"] for line in (run.path / "metrics.jsonl").read_text().splitlines()] == [1, 2]
    assert run.load()[0] == 2


def test_a_full_disk_is_said_with_the_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create("a", {"agent": "x"})
    (run.path / "metrics.jsonl").symlink_to("/dev/full")  # a file that is always full
    with pytest.raises(ValueError, match=r"could not be written \(No space left on device\).*--resume"):
        run.log(1, {"x": 1.0})


def test_only_one_process_trains_a_run() -> None:
    run = Run.create("a", {"agent": "x"})
    with run.locked(), pytest.raises(ValueError, match="another process"), Run.open("a").locked():
        pass
    with Run.open("a").locked():
        pass


def test_free_names_and_seeds() -> None:
    Run.create("x-1", {})
    assert free_name("x") == "x-2"
    assert len({*seeds_of(0), *seeds_of(1)}) == 6
    assert seeds_of(5) == seeds_of(5)
    assert max(seeds_of(5)) < 2**31
