"""The page of a replay in a real browser: what is seen in its screenshots is what is in the world."""

import shutil
import subprocess
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.replay import Replay
from palestra.envs.hide_and_seek.state import BOX, RAMP

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
COLORS = {"floor": "ece8e0", "hiders": "2c6ebe", "seekers": "cc4434", "boxes": "e2b258", "ramps": "96b478"}


def seen_in(page: str, script: str, place: Path) -> dict[str, int]:
    """Opens a page in a browser, runs a script in it, and returns how many pixels have which color."""
    (place / "page.html").write_text(f"{page}<script>playing = false; {script}; draw();</script>")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1100,1300"]
    command += ["--virtual-time-budget=1000", f"--screenshot={place / 'page.png'}", str(place / "page.html")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    picture = imageio.imread(place / "page.png")[..., :3]
    return {name: int((picture == np.frombuffer(bytes.fromhex(color), np.uint8)).all(axis=2).sum())
            for name, color in COLORS.items()}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: the replay's page is not opened in a browser")
def test_a_browser_shows_the_world_lidar_and_what_one_agent_sees(tmp_path: Path) -> None:
    batch = HideAndSeekBatch("quadrant", 1)
    batch.reset(0)
    replay = Replay(batch)
    replay.add()
    assert not {2, 3} & set(replay.frames[0]["seen"][0])  # the first hider sees no seeker
    page, bodies = replay.page(), batch.bodies[0]
    world = seen_in(page, '$("cones").checked = false', tmp_path)
    areas = {kind: sum(4 * body.half_x * body.half_y for body in bodies if body.kind == kind) for kind in (BOX, RAMP)}
    scale = world["boxes"] / areas[BOX]  # pixels a square metre
    assert world["ramps"] == pytest.approx(scale * areas[RAMP], rel=0.3)  # with an arrow on it
    assert world["floor"] == pytest.approx(scale * (batch.scenario.floor**2 - sum(areas.values())), rel=0.2)
    assert min(world["hiders"], world["seekers"]) > 0.5 * scale * 2 * np.pi * 0.15**2  # two discs each, with a rim
    lidar = seen_in(page, '$("cones").checked = false; $("lidar").checked = true', tmp_path)
    assert lidar["floor"] < 0.97 * world["floor"]
    own = seen_in(page, '$("follow").value = "0"; $("limited").checked = true', tmp_path)
    assert own["hiders"] > 0
    assert own["seekers"] == 0
