"""`palestra explain` of a run of teams: phases said and drawn, and a page of an episode by `palestra watch`."""

import json
from pathlib import Path

from tests.conftest import CommandLine

TINY = ("--agent.rollout", "10", "--agent.width", "16", "--agent.epochs", "1", "--agent.minibatches", "1")


def test_phases_are_said_and_drawn_and_an_episode_is_a_page(palestra: CommandLine) -> None:
    assert palestra("train", "mappo", "--steps", "1600", "--num-envs", "4", "--name", "hide", *TINY)[0] == 0
    run = Path("runs/hide")
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert sum("statistics/closed" in row for row in rows) > 1
    for row in rows:  # as in a training in which everybody chases from the first episode on
        row |= {"statistics/distance": 0.5} if "statistics/distance" in row else {}
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, err = palestra("explain", "hide")
    assert (status, out.splitlines()[-1]) == (0, "runs/hide/explain/phases.png")
    assert Path(out.splitlines()[-1]).stat().st_size > 10_000
    assert "running and chasing: from step 320 on, in 100% of the rows" in err
    assert "surf defence: not shown" in err
    status, out, _ = palestra("watch", "hide", "--out", "episode.html")
    assert (status, out) == (0, "episode.html\n")
    page = json.loads(Path("episode.html").read_text().split("let replay = ")[1].split(";\n")[0])
    assert len(page["frames"]) == 80  # the world at the beginning, and after each step but the last
    for words, said in (
        (("explain", "hide", "--method", "saliency"), "without --method"),
        (("explain", "hide", "--out", "phases.jpg"), "must end in .png"),
    ):
        status, _, err = palestra(*words)
        assert (status, said in err) == (2, True)


def test_a_run_without_episodes_is_refused(palestra: CommandLine) -> None:
    assert palestra("train", "mappo", "--steps", "40", "--num-envs", "4", "--name", "short", *TINY)[0] == 0
    status, _, err = palestra("explain", "short")
    assert status == 2
    assert "has no statistics of hide-and-seek yet" in err
