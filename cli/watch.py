"""`palestra watch RUN`: an episode as a video, or in the terminal; games of players: `watch_game.py`."""

import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from palestra.agents.agent import Agent
from palestra.cli.options import parse
from palestra.cli.players import is_player
from palestra.cli.progress import Progress, say
from palestra.cli.run import Run, seeds_of
from palestra.cli.setup import env_of, trained_agent
from palestra.envs.spec import EnvSpec

SUFFIXES = (".mp4", ".gif", ".png", ".html")
CLEAR = "\x1b[H\x1b[2J"
SMALLEST = 320  # pixels of a video's shorter side, to which small pictures are enlarged


@dataclass(frozen=True)
class Options:
    """Plays episodes without exploring and films them, or draws them in the terminal."""

    out: Path | None = None
    """File of the video, .mp4 or .gif; of a grid world's values and policy, .png; of hide-and-seek also a page that a
    browser plays, .html; runs/RUN/videos/ if left out."""
    episodes: int = 1
    """Episodes to show."""
    steps: int = 10_000
    """Most steps to show."""
    seed: int = 0
    """Root of the randomness of the environment."""
    fps: float | None = None
    """Pictures a second; the environment's own if left out."""
    text: bool = False
    """Whether to draw in the terminal instead of making a video."""
    from_step: int | None = None
    """Step of the checkpoint to watch, if not the last."""


def main(args: Sequence[str]) -> int:
    """Shows episodes; the video's path is the last line of stdout."""
    names = list(takewhile(lambda word: not word.startswith("-"), args))
    name = names[0] if names else None
    if len(names) > 1 or (name and is_player(name)):
        from palestra.cli import watch_game

        return watch_game.main(names, args[len(names) :])
    options = parse(Options, list(args if name is None else args[1:]), "palestra watch RUN")
    if name is None:
        raise ValueError("what to watch is missing: palestra watch RUN")
    if options.out and options.out.suffix not in SUFFIXES:
        raise ValueError(f"--out {options.out} must end in {', '.join(SUFFIXES)}")
    if options.episodes < 1 or options.steps < 1:
        raise ValueError("--episodes and --steps must be at least 1")
    run = Run.open(name, "agent")
    agent, env = trained_agent(run, options.from_step), env_of(run.config)
    if options.text:
        _in_terminal(agent, env, options)
        return 0
    out = options.out or video_path(run, agent, options)
    if out.suffix == ".png":
        from palestra.cli.picture import draw

        draw(agent, env, run.config["agent"], out)
    elif out.suffix == ".html":
        _page(agent, env, options, out)
    else:
        film(agent, env, options, out)
    print(out)
    return 0


def frames(agent: Agent, env: EnvSpec, options: Options, mode: str) -> Iterator[tuple[Any, float]]:
    """Plays, and yields what the environment draws after each step, with the return so far."""
    game = env.make(render_mode=mode)
    try:
        for episode in range(options.episodes):
            obs, info = game.reset(seed=seeds_of(options.seed)[2] if episode == 0 else None)
            score, first, ended = 0.0, True, False
            yield game.render(), score
            for _ in range(options.steps):
                mask = info.get("action_mask")
                batch_mask = None if mask is None else np.asarray(mask, np.bool_)[None]
                action = agent.act(_batch(obs), np.array([first]), batch_mask, explore=False)[0]
                obs, reward, terminated, truncated, info = game.step(action)
                score, first, ended = score + float(reward), False, terminated or truncated
                yield game.render(), score
                if ended:
                    break
            say(f"return {score:.4g}" + ("" if ended else f", stopped after {options.steps} steps"))
    finally:
        game.close()


def _batch(obs: Any) -> Any:
    """Returns an observation as a batch of one."""
    return {name: value[None] for name, value in obs.items()} if isinstance(obs, dict) else np.asarray(obs)[None]


def video_path(run: Run, agent: Agent, options: Options) -> Path:
    """Returns where the videos of a run are kept."""
    return run.path / "videos" / f"step-{agent.step}-seed-{options.seed}.mp4"


def film(agent: Agent, env: EnvSpec, options: Options, out: Path) -> None:
    """Writes a video of episodes.

    Raises:
        ValueError: the environment draws no pictures.
    """
    imageio: Any = importlib.import_module("imageio")
    metadata = env.make().metadata
    if "rgb_array" not in (metadata.get("render_modes") or []):
        raise ValueError(f"{env.id} draws no pictures, so there is nothing to film")
    out.parent.mkdir(parents=True, exist_ok=True)
    fps = options.fps or float(metadata.get("render_fps") or 4)
    settings = {"fps": fps, "macro_block_size": 2} if out.suffix == ".mp4" else {"duration": 1000 / fps, "loop": 0}
    shown = 0
    with Progress("watching", options.steps) as progress, imageio.get_writer(out, **settings) as video:
        for picture, score in frames(agent, env, options, "rgb_array"):
            video.append_data(_enlarged(np.asarray(picture)))
            shown += 1
            progress.update(shown, f"return {score:.4g}")


def _page(agent: Agent, env: EnvSpec, options: Options, out: Path) -> None:
    """Writes a page of one episode of hide-and-seek.

    Raises:
        ValueError: another environment is played.
    """
    if env.id != "palestra/HideAndSeek-v0":
        raise ValueError(f"{env.id} has no page; --out must end in .mp4 or .gif")
    from palestra.envs.hide_and_seek.replay import Replay

    envs: Any = env.make_vec(1)
    obs, _ = envs.reset(seed=seeds_of(options.seed)[2])
    replay, first = Replay(envs.batch), np.ones(1, np.bool_)
    replay.add()
    for _ in range(min(options.steps, envs.batch.scenario.horizon - 1)):
        obs, _, first, _, _ = envs.step(agent.act(obs, first, explore=False))
        replay.add()
    out.parent.mkdir(parents=True, exist_ok=True)
    replay.save(out)


def _enlarged(picture: Any) -> Any:
    factor = max(1, SMALLEST // min(picture.shape[:2]))
    large = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    return large[: large.shape[0] // 2 * 2, : large.shape[1] // 2 * 2]  # codecs want even sides


def _in_terminal(agent: Agent, env: EnvSpec, options: Options) -> None:
    modes = env.make().metadata.get("render_modes") or []
    if "ansi" not in modes:
        raise ValueError(
            f"{env.id} cannot be drawn as text (it draws {', '.join(modes)}); leave --text out for a video"
        )
    live = sys.stdout.isatty()
    for text, score in frames(agent, env, options, "ansi"):
        print(f"{CLEAR if live else ''}{text}\nreturn {score:.4g}", flush=True)
        if live:
            time.sleep(1 / (options.fps or 4))
