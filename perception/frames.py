"""Pictures of environments as images: what a policy sees while one plays that chooses its actions at random.

Of Atari games these are the frames that agents learn from (`envs/atari.py`), without labels. Of grid worlds it is the
map with the agent on it (`envs/gridworld_pixels.py`), with labels from the state of the game: a class, boxes around the
agent and the goals, the object that each pixel belongs to, and a sentence. A map has few states, so that pictures
repeat; `layouts` draws many mazes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from palestra.envs.gridmap import CLIFF, DIGITS, GOAL, JUMPS, PIT, START, WALL, Cells
from palestra.envs.gridworld import GridWorldEnv
from palestra.envs.gridworld_pictures import map_image
from palestra.envs.gridworld_pixels import sight
from palestra.envs.spec import Env, EnvSpec
from palestra.perception.arrays import parse_size, planes_first
from palestra.perception.data import Annotations, Bytes, Images

ATARI_EVERY = 4  # steps between pictures of Atari games, which hardly differ from one to the next
SMALLEST_CELL = 3  # pixels of a cell's side, in which its agent can be seen
OBJECTS = ("floor", "wall", "agent", "goal", "start", "pit", "cliff", "jump")
RELATIONS = (
    "at the goal",
    *("above the goal", "above and right of the goal", "right of the goal", "below and right of the goal"),
    *("below the goal", "below and left of the goal", "left of the goal", "above and left of the goal"),
)
LABELS = ("cell", "row", "column", "goal")
STATES = ("played", "drawn")
_SIDES = {(0, -1): "on its left", (0, 1): "on its right", (-1, 0): "above it", (1, 0): "below it"}
_TURNS = {(0, 0): 0, (1, 0): 1, (1, -1): 2, (0, -1): 3, (-1, -1): 4, (-1, 0): 5, (-1, 1): 6, (0, 1): 7, (1, 1): 8}
_LETTERS = {WALL: 1, GOAL: 3, START: 4, PIT: 5, CLIFF: 6} | {ord(d): 3 for d in DIGITS} | {ord(j): 7 for j in JUMPS}


class _Asked(NamedTuple):
    num: int
    every: int
    size: Any
    label: str
    layouts: int
    states: str


def frames(
    name: str,
    *,
    num: int = 1000,
    seed: int = 0,
    every: int | None = None,
    stack: int | None = None,
    protocol: str | None = None,
    size: int | str | Sequence[int] | None = None,
    label: str | None = None,
    layouts: int | None = None,
    states: str | None = None,
    env: Mapping[str, Any] | None = None,
) -> Images:
    """Plays the environment of `frames:ID` at random and keeps `num` pictures, one in `every` steps.

    Atari games: one every 4 steps unless told, the newest `stack` frames, 1 unless told, under a `protocol`, v5 or
    nature. Grid worlds: pictures of `size` (as they are seen, unless told; pixels are then repeated or left out), a
    `label` out of cell, row, column and goal (on which side of the nearest goal the agent is), as many mazes as
    `layouts` says, and `states` played, or drawn from all that can be reached, each as likely. `env` holds options of
    the environment. Other environments must show images.

    Raises:
        ValueError: there is no such environment, it cannot be seen, or an option is wrong or not one of its kind.
    """
    id = name.removeprefix("frames:")
    for option, value in {"num": num, "every": every or 1, "stack": stack or 1, "layouts": layouts or 1}.items():
        if value < 1:
            raise ValueError(f"{option} is {value}, but must be at least 1")
    if seed < 0 or (layouts or 1) > num:
        raise ValueError(f"seed must not be negative, nor layouts more than num, but they are {seed}, {layouts}, {num}")
    spec = EnvSpec(id, seed=seed, kwargs=dict(env or {}), protocol=protocol or "v5")
    is_grid = _is_grid(spec)
    _check_kind(id, spec.is_atari, {"stack": stack, "protocol": protocol}, "Atari games")
    _check_kind(id, is_grid, {"size": size, "label": label, "layouts": layouts, "states": states}, "grid worlds")
    if is_grid:
        asked = _Asked(num, every or 1, size, label or "cell", layouts or 1, states or "played")
        return _grid_images(name, spec, asked)
    if spec.is_atari:
        spec = _with(spec, frame_stack=stack or 1)
    return Images(_seen(spec, num, every or (ATARI_EVERY if spec.is_atari else 1)), name=name)


def play(env: Env, num: int, every: int, seed: int) -> Iterator[Any]:
    """Yields `num` observations of one that acts at random inside Ω, the first and then one in `every` steps."""
    rng = np.random.default_rng(seed)
    env.action_space.seed(seed)
    obs, info = env.reset(seed=seed)
    for step in range((num - 1) * every + 1):
        if step:
            mask = info.get("action_mask")
            action = env.action_space.sample() if mask is None else rng.choice(np.flatnonzero(mask))
            obs, _, terminated, truncated, info = env.step(action)
        if step % every == 0:
            yield obs
        if step and (terminated or truncated):
            obs, info = env.reset()


def _seen(spec: EnvSpec, num: int, every: int) -> Bytes:
    """Returns `[N, C, H, W]`: what the environment shows."""
    env = spec.make()
    try:
        space = env.observation_space
        if not isinstance(space, gym.spaces.Box) or space.dtype != np.uint8 or len(space.shape) not in (2, 3):
            raise ValueError(f"{spec.id} shows {space}, but frames are taken of images, uint8 of 2 or 3 dimensions")
        seen = np.empty((num, *space.shape), np.uint8)
        for i, obs in enumerate(play(env, num, every, spec.seed)):
            seen[i] = obs
    finally:
        env.close()
    return seen if spec.is_atari else planes_first(seen, None, spec.id)


def _grid_images(name: str, spec: EnvSpec, asked: _Asked) -> Images:
    for option, given, known in (("label", asked.label, LABELS), ("states", asked.states, STATES)):
        if given not in known:
            raise ValueError(f"{option} is {given!r}, but one of {', '.join(known)} is wanted")
    first = int(spec.kwargs.get("layout_seed", 0))
    parts = []
    for i, count in enumerate(np.diff(np.arange(asked.layouts + 1) * asked.num // asked.layouts).tolist()):
        varied = {"layout_seed": first + i} if asked.layouts > 1 else {}
        env = _with(spec, observation="state", **varied).make()
        if asked.states == "drawn":
            states = np.random.default_rng(spec.seed + i).choice(reachable(_world(env)), count)
        else:
            states = np.array(list(play(env, count, asked.every, spec.seed + i)), np.int64)
        parts.append(annotated(_world(env).grid.cells, states, asked.size, asked.label))
        env.close()
    pixels, labels, notes, classes = zip(*parts, strict=True)
    return Images(np.concatenate(pixels), np.concatenate(labels), classes[0], name=name, annotations=_joined(notes))


def reachable(world: GridWorldEnv) -> NDArray[np.int64]:
    """Returns the cells that an episode can come to, starts and ends included, in order."""
    tables = world.grid.tables
    known = np.zeros(len(tables.target), np.bool_)
    new = tables.starts
    while len(new):
        known[new] = True
        ahead = np.unique(tables.target[new])
        new = ahead[~known[ahead]].astype(np.int64)
    return np.flatnonzero(known)


def annotated(
    cells: Cells, states: NDArray[np.int64], size: Any = None, label: str = "cell"
) -> tuple[Bytes, NDArray[np.int64], Annotations, tuple[str, ...]]:
    """Draws a map with the agent in each of the states `[N]`; returns pixels, labels, annotations and classes.

    Raises:
        ValueError: the size is too small for the map, or the label is a goal's, of which there is none.
    """
    see = sight("image", cells)
    pixels = see(states)
    side = pixels.shape[2] // cells.shape[0]
    height, width = pixels.shape[2:] if size is None else parse_size(size)
    if min(height / cells.shape[0], width / cells.shape[1]) < SMALLEST_CELL:
        raise ValueError(
            f"size is {height}x{width}, but a map of {cells.shape[0]} x {cells.shape[1]} cells takes at least "
            f"{SMALLEST_CELL * cells.shape[0]}x{SMALLEST_CELL * cells.shape[1]} pixels"
        )
    rows, cols = _sampled(pixels.shape[2], height), _sampled(pixels.shape[3], width)
    pixels = pixels[:, :, rows][:, :, :, cols]
    empty = map_image(cells, side=side).transpose(2, 0, 1)[:, rows][:, :, cols]
    masks = np.repeat(_object_ids()[cells][rows // side][:, cols // side][None], len(states), axis=0)
    agent = (pixels != empty).any(axis=1)
    masks[agent] = OBJECTS.index("agent")
    goals = np.argwhere(_object_ids()[cells] == OBJECTS.index("goal"))
    boxes = np.stack([_box(agent), *(_box(_cell(goal, rows // side, cols // side, len(states))) for goal in goals)], 1)
    places = np.stack(np.divmod(states, cells.shape[1]), axis=1)
    labels, classes = _labels(label, places, goals, cells.shape)
    captions = tuple(caption(cells, place, goals) for place in places)
    names = ("agent", *("goal" for _ in goals))
    about = Annotations(torch.from_numpy(boxes), names, torch.from_numpy(masks), OBJECTS, captions)
    return pixels, labels, about, classes


def caption(cells: Cells, place: NDArray[np.int64], goals: NDArray[np.int64]) -> str:
    """Says where an agent at `place` (row, column) is to the nearest of the goals `[G, 2]`, and where walls are."""
    row, col = place.tolist()
    where = RELATIONS[_relation(place, goals)] if len(goals) else f"in row {row + 1}, column {col + 1}"
    walls = [
        words
        for (down, right), words in _SIDES.items()
        if 0 <= row + down < cells.shape[0]
        and 0 <= col + right < cells.shape[1]
        and cells[row + down, col + right] == WALL
    ]
    if not walls:
        return f"the agent is {where}, no wall is beside it"
    beside = f"a wall is {walls[0]}" if len(walls) == 1 else f"walls are {', '.join(walls[:-1])} and {walls[-1]}"
    return f"the agent is {where}, {beside}"


def _relation(place: NDArray[np.int64], goals: NDArray[np.int64]) -> int:
    """Returns which of `RELATIONS` the agent has to the nearest goal, in steps; of several the first."""
    down, right = (goals - place)[np.abs(goals - place).sum(axis=1).argmin()].tolist()
    return _TURNS[int(np.sign(down)), int(np.sign(right))]


def _labels(
    label: str, places: NDArray[np.int64], goals: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    rows, cols = ([f"{what} {i + 1}" for i in range(n)] for what, n in zip(("row", "column"), shape, strict=True))
    if label == "row":
        return places[:, 0], tuple(rows)
    if label == "column":
        return places[:, 1], tuple(cols)
    if label == "cell":
        return places @ np.array([shape[1], 1]), tuple(f"{row}, {col}" for row in rows for col in cols)
    if not len(goals):
        raise ValueError(f"the map has no goal: label is one of {', '.join(LABELS[:3])}, not goal")
    return np.array([_relation(place, goals) for place in places], np.int64), RELATIONS


def _sampled(given: int, wanted: int) -> NDArray[np.int64]:
    """Returns which of `given` pixels in a row the `wanted` ones are copies of: those under their middles."""
    return ((np.arange(wanted) + 0.5) * given / wanted).astype(np.int64)


def _object_ids() -> NDArray[np.uint8]:
    """Returns `[256]`: the number in `OBJECTS` of each letter of a map."""
    ids = np.zeros(256, np.uint8)
    for letter, number in _LETTERS.items():
        ids[letter] = number
    return ids


def _cell(place: NDArray[np.int64], rows: NDArray[np.int64], cols: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Returns `[N, H, W]`: the pixels of a cell, where those of each row and column of cells are given."""
    inside = (rows == place[0])[:, None] & (cols == place[1])
    return np.broadcast_to(inside, (count, *inside.shape))


def _box(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Returns `[N, 4]`: left, top, right and bottom edge of what is inside `[N, H, W]`."""
    ends = []
    for axis in (1, 2):  # columns, then rows
        line: NDArray[np.bool_] = np.any(inside, axis=axis)
        ends += [line.argmax(axis=1), line.shape[1] - line[:, ::-1].argmax(axis=1)]
    left, right, top, bottom = ends
    return np.stack([left, top, right, bottom], axis=1).astype(np.float32)


def _joined(parts: Sequence[Annotations]) -> Annotations:
    return Annotations(
        torch.cat([part.boxes for part in parts]),
        parts[0].box_names,
        torch.cat([part.masks for part in parts]),
        parts[0].mask_names,
        tuple(caption for part in parts for caption in part.captions),
    )


def _is_grid(spec: EnvSpec) -> bool:
    if not spec.id.startswith("palestra/"):
        return False
    env = spec.make()
    try:
        return isinstance(env.unwrapped, GridWorldEnv)
    finally:
        env.close()


def _world(env: Env) -> GridWorldEnv:
    world = env.unwrapped
    if not isinstance(world, GridWorldEnv):
        raise TypeError(f"{env} is no grid world")
    return world


def _with(spec: EnvSpec, **options: Any) -> EnvSpec:
    return EnvSpec(spec.id, seed=spec.seed, kwargs={**spec.kwargs, **options}, protocol=spec.protocol)


def _check_kind(id: str, fits: bool, options: Mapping[str, Any], kind: str) -> None:
    given = [option for option, value in options.items() if value is not None]
    if given and not fits:
        raise ValueError(f"{given[0]} is an option of frames of {kind}, but {id} is none of them")
