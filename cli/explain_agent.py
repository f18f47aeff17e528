"""An agent's episode explained: a video with maps over what it sees, or a picture of what inputs counted when."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.agents.agent import Agent
from palestra.agents.q_network import as_input
from palestra.agents.thoughts import Thoughts
from palestra.cli.explain import Options, checked_suffix, numbered
from palestra.cli.game_pictures import GamePictures
from palestra.cli.progress import Progress, say
from palestra.cli.run import Run, seeds_of
from palestra.cli.setup import env_of, trained_agent
from palestra.envs.game import PLAYER
from palestra.envs.game_env import game_name
from palestra.envs.go.game import vertex
from palestra.envs.spec import EnvSpec
from palestra.networks.stages import stages_of
from palestra.perception.attribution import METHODS, attribute, method_named
from palestra.perception.episode_pictures import EpisodePictures, draw_importance
from palestra.perception.explain_pictures import save_figure, shown
from palestra.perception.scores import Unit

VALUES, CHANCES = "action values", "probabilities of the actions"
WHOLE = "the position's value"
SHOWN = 5  # moves of a board game that are named
AT_ONCE = 32  # observations that are explained together


class Episode(NamedTuple):
    """An agent's play of T steps: what it saw, as its network takes it, what people saw, and what came out."""

    inputs: Tensor  # [T, ...]
    pictures: list[Any]  # T pictures [h, w, 3] uint8, or None
    actions: NDArray[Any]  # [T], or [T, D] of continuous actions
    returns: NDArray[np.float64]  # [T] before each step
    ended: bool
    states: list[Any]  # T states of a game of Go, none of other environments


def explain_agent(run: Run, options: Options) -> Path:
    """Plays an episode, explains each step, and returns the path of the video or picture.

    Raises:
        ValueError: the agent has no network, or there is no such method, stage, unit or action.
    """
    method = _method(options)
    agent, env = trained_agent(run, options.from_step), env_of(run.config)
    network: Any = getattr(agent, "network", None)
    if not isinstance(network, nn.Module):
        raise ValueError(
            f"{run.config['agent']} has no network to explain: it keeps a table; `palestra watch {run.path}` plays it"
        )
    game = env.make()
    image = len(game.observation_space.shape or ()) == 3
    names = action_names(game)
    first: Any = game.reset(seed=seeds_of(options.seed)[2])[0]
    first = as_input(np.asarray(first)[None], game.observation_space, torch.device("cpu"))  # type: ignore[arg-type]
    game.close()
    explained(network, first, torch.zeros(1, dtype=torch.int64), method, options)  # so that it is refused at once
    target = None if options.target is None else numbered(options.target, names, "action")
    suffix = ".mp4" if image else ".png"
    out = options.out or run.path / "explain" / f"{method}-step-{agent.step}-seed-{options.seed}{suffix}"
    checked_suffix(out, (".mp4", ".gif") if image else (".png",))
    episode = play(agent, env, options)
    values = outputs_of_all(network, episode.inputs)
    targets = _targets(episode, values, target, env)
    maps = explained(network, episode.inputs, targets, method, options)
    label, values = _labelled(agent, values, episode, len(names))
    names = [WHOLE] if label == WHOLE else names
    out.parent.mkdir(parents=True, exist_ok=True)
    if image:
        _film(episode, maps, values, targets, out, names=names, label=label, fps=options.fps or _fps(env))
        return out
    if method == "saliency" and options.unit is None:
        maps = maps * episode.inputs.float().std(dim=0, correction=0)  # a step of each input as large as it varies
    inputs = [f"input {i}" for i in range(maps.shape[1])]
    figure = draw_importance(maps.abs().numpy(), values.numpy(), targets.numpy(), inputs, names, label)
    save_figure(figure, out)
    return out


def play(agent: Agent, env: EnvSpec, options: Options) -> Episode:
    """Plays an episode without exploring, and keeps what the network saw."""
    modes = env.make().metadata.get("render_modes") or []
    game: Any = env.make(render_mode="rgb_array" if "rgb_array" in modes else None)
    go = game_name(game.unwrapped).startswith("go-")
    seen, pictures, actions, returns, states = [], [], [], [], []
    score, ended = 0.0, False
    try:
        obs, info = game.reset(seed=seeds_of(options.seed)[2])
        with Progress("playing", options.steps) as progress:
            for step in range(options.steps):
                seen.append(np.asarray(obs).copy())
                pictures.append(None if game.render_mode is None else np.asarray(game.render()).copy())
                if go:
                    states.append(game.unwrapped.state.copy())
                mask = info.get("action_mask")
                batch_mask = None if mask is None else np.asarray(mask, np.bool_)[None]
                action = agent.act(seen[-1][None], np.array([step == 0]), batch_mask, explore=False)[0]
                actions.append(action)
                returns.append(score)
                obs, reward, terminated, truncated, info = game.step(action)
                score, ended = score + float(reward), terminated or truncated
                progress.update(step + 1, f"return {score:.4g}")
                if ended:
                    break
        space: Any = game.observation_space
    finally:
        game.close()
    say(f"return {score:.4g}" + ("" if ended else f", stopped after {options.steps} steps"))
    inputs = as_input(np.stack(seen), space, torch.device("cpu"))
    return Episode(inputs, pictures, np.array(actions), np.array(returns), ended, states)


@torch.no_grad()
def outputs_of_all(network: nn.Module, inputs: Tensor) -> Tensor:
    """Returns the network's outputs `[T, A]`."""
    device = next(network.parameters()).device
    return torch.cat([network(part.to(device)).cpu() for part in torch.split(inputs, AT_ONCE)])


def explained(network: nn.Module, inputs: Tensor, targets: Tensor, method: str, options: Options) -> Tensor:
    """Returns the maps `[T, H, W]`, or `[T, N]` for vectors, of an output for each step, or of a unit."""
    maps = []
    unit = _unit(network, options)
    stage = options.stage if unit is None and method_named(method).reads_stage else None
    with Progress(method, len(inputs)) as progress:
        for part, target in zip(torch.split(inputs, AT_ONCE), torch.split(targets, AT_ONCE), strict=True):
            maps.append(attribute(network, part, unit or target, method=method, stage=stage).cpu())
            progress.update(sum(map(len, maps)))
    return torch.cat(maps)


def action_names(game: Any) -> list[str]:
    """Returns what the actions of an environment are called, or their numbers."""
    space, inner = game.action_space, game.unwrapped
    if not hasattr(space, "n"):
        return [f"action {i}" for i in range(int(np.prod(space.shape)))]
    if game_name(inner).startswith("go-"):
        return [vertex(inner.observation_space.shape[1], action) for action in range(int(space.n))]
    if hasattr(inner, "get_action_meanings"):
        return [str(name) for name in inner.get_action_meanings()]
    if getattr(inner, "grid", None) is not None:
        from palestra.envs.gridworld_pictures import ARROWS

        return list(ARROWS[: space.n])
    return [str(space.start + i) for i in range(int(space.n))]


def _method(options: Options) -> str:
    method = options.method or "saliency"
    if method in ("all", "filters", "patches", "features", "maximisation"):
        raise ValueError(f"an agent's episode is explained by one of {', '.join(METHODS)}, not by {method}")
    if options.stage is not None and options.unit is None and not method_named(method).reads_stage:
        raise ValueError(f"{method} reads no stage: give --unit too, or --method grad-cam")
    return method


def _unit(network: nn.Module, options: Options) -> Unit | None:
    if options.unit is None:
        return None
    if options.stage is None:
        raise ValueError(f"--unit {options.unit} wants a --stage: {', '.join(stages_of(network))}")
    return Unit(options.stage, options.unit)


def _targets(episode: Episode, values: Tensor, target: int | None, env: EnvSpec) -> Tensor:
    """Returns the outputs `[T]` that are explained: the actions taken, the one that was asked for, or the only one."""
    if target is not None:
        return torch.full((len(values),), target)
    if values.shape[1] == 1:
        return torch.zeros(len(values), dtype=torch.int64)
    if episode.actions.ndim > 1:  # continuous: the strongest of the means
        return values.abs().argmax(dim=1)
    game = env.make()
    start = int(getattr(game.action_space, "start", 0))
    game.close()
    return torch.from_numpy(episode.actions.astype(np.int64)) - start


def _labelled(agent: Agent, values: Tensor, episode: Episode, num_actions: int) -> tuple[str, Tensor]:
    """Returns what the outputs are, and them: action values, probabilities, means of continuous actions, or a value."""
    if hasattr(agent, "action_values"):
        return VALUES, values
    if episode.actions.ndim > 1:
        return "means of the actions", values
    if values.shape[1] == 1:
        return WHOLE, values
    return CHANCES, values[:, :num_actions].softmax(dim=1)  # others judge the whole


def _fps(env: EnvSpec) -> float:
    return float(env.make().metadata.get("render_fps") or 4)


def _film(
    episode: Episode,
    maps: Tensor,
    values: Tensor,
    targets: Tensor,
    out: Path,
    *,
    names: list[str],
    label: str,
    fps: float,
) -> None:
    imageio: Any = importlib.import_module("imageio")
    draw = _boards if episode.states else _frames
    frames = draw(episode, maps.numpy(), values.numpy(), targets, names, label)
    settings = {"fps": fps, "macro_block_size": 2} if out.suffix == ".mp4" else {"duration": 1000 / fps, "loop": 0}
    with Progress("drawing", len(maps)) as progress, imageio.get_writer(out, **settings) as video:
        for number, frame in enumerate(frames, 1):
            video.append_data(frame)
            progress.update(number)


def _frames(
    episode: Episode, maps: NDArray[Any], values: NDArray[Any], targets: Tensor, names: list[str], label: str
) -> Iterator[NDArray[np.uint8]]:
    """Yields the pictures of an episode, with what counted over what the network saw, and what it said of actions."""
    centred = label == VALUES
    title = f"{label}, less their mean" if centred else label
    drawn = EpisodePictures(episode.pictures[0], shown(episode.inputs[0]), maps, values, names, title, centred=centred)
    for t, (picture, seen) in enumerate(zip(episode.pictures, episode.inputs, strict=True)):
        title = f"step {t:>4}   return {episode.returns[t]:>8.4g}"
        yield drawn.draw(picture, shown(seen), maps[t], values[t], int(targets[t]), title)


def _boards(
    episode: Episode, maps: NDArray[Any], values: NDArray[Any], targets: Tensor, names: list[str], label: str
) -> Iterator[NDArray[np.uint8]]:
    """Yields the boards of a game of Go with what counted on them, and the actions that stand highest."""
    form = ".1%" if label == CHANCES else ".2f"
    sides = ("the agent", "its opponent")
    pictures = GamePictures(*(sides if episode.states[0][PLAYER] == 0 else sides[::-1]))
    for t, state in enumerate(episode.states):
        strength = maps[t] / max(float(np.abs(maps[t]).max()), 1e-12)
        order = np.argsort(-values[t])[:SHOWN]
        lines = [f"what counted for {names[int(targets[t])]}", *(f"{names[a]} {values[t][a]:{form}}" for a in order)]
        yield pictures.draw(state, Thoughts(), lines, np.sign(strength) * np.sqrt(np.abs(strength)))
