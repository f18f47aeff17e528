"""Pictures of environments: they are what agents see, and their labels are where the engine says that things are."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.envs.gridmap import parse_map
from palestra.envs.gridworld_pictures import map_image
from palestra.envs.spec import EnvSpec
from palestra.perception.data import Annotations, Images, load_images
from palestra.perception.frames import OBJECTS, RELATIONS, annotated, caption, play

AGENT = np.array([0x1F, 0x5F, 0xA8], np.uint8)  # the colour in which the engine draws the agent, and nothing else


def notes(data: Images) -> Annotations:
    assert data.annotations is not None
    return data.annotations


def states_of(data: Images) -> np.ndarray:
    assert data.labels is not None
    return data.labels.numpy()


def test_atari_frames_are_what_agents_see() -> None:
    data = load_images("frames:ALE/Pong-v5", num=20, stack=4, every=2, seed=3)
    assert data.pixels.shape == (20, 4, 84, 84)
    assert data.labels is None
    env = EnvSpec("ALE/Pong-v5").make()
    env.action_space.seed(3)
    obs, _ = env.reset(seed=3)
    for step in range(39):
        if step % 2 == 0:
            np.testing.assert_array_equal(data.pixels[step // 2], obs)
        obs = env.step(env.action_space.sample())[0]
    single = load_images("frames:ALE/Pong-v5", num=20, every=2, seed=3)
    assert torch.equal(single.pixels, data.pixels[:, -1:])
    assert len(torch.unique(data.pixels[:, -1], dim=0)) > 10


class Resets(gym.Wrapper[Any, Any, Any, Any]):
    """Counts the episodes that begin."""

    count = 0

    def reset(self, **options: Any) -> Any:
        self.count += 1
        return self.env.reset(**options)


def test_atari_frames_go_on_after_an_episode() -> None:
    env = Resets(EnvSpec("ALE/Breakout-v5").make())
    observed = list(play(env, 401, 1, seed=0))
    assert env.count > 1  # random play loses five balls in about 200 steps
    data, other = (load_images("frames:ALE/Breakout-v5", num=5, every=100, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(data.pixels[:, 0], np.stack([obs[-1] for obs in observed[::100]]))
    assert not torch.equal(data.pixels, other.pixels)


@pytest.mark.parametrize("id", ["palestra/GridWorld-v0", "palestra/Cliff-v0", "palestra/Maze-v0"])
def test_grid_pictures_are_what_agents_see(id: str) -> None:
    data = load_images(f"frames:{id}", num=30, seed=5)
    env = EnvSpec(id, kwargs={"observation": "image"}).make()
    rng = np.random.default_rng(5)
    obs, info = env.reset(seed=5)
    for i in range(30):
        np.testing.assert_array_equal(data.pixels[i], obs)
        obs, _, terminated, truncated, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
        assert not terminated
        assert not truncated


def test_moves_stay_inside_what_is_allowed() -> None:
    # Between two walls one can go to the right and back only, so that each step moves, or starts the next episode.
    data = load_images("frames:palestra/GridWorld-v0", num=200, env={"map": "####/S..G/####", "mask_walls": True})
    states = states_of(data)
    moved = np.abs(np.diff(states))
    assert set(moved[states[:-1] != 7]) == {1}


@pytest.mark.parametrize("size", [None, "60x90", "25x31", (18, 27), 200])
def test_boxes_and_masks_are_where_the_engine_draws(size: Any) -> None:
    cells = parse_map("S..#G/.#.../...P1/..S../A..a#/.....")
    states = np.flatnonzero(np.isin(cells.ravel(), [ord(c) for c in ".SG1Aa"]))
    pixels, _, about, _ = annotated(cells, states, size)
    height, width = pixels.shape[2:]
    assert about.box_names == ("agent", "goal", "goal")
    for image, box, state, mask in zip(pixels, about.boxes.numpy(), states, about.masks.numpy(), strict=True):
        is_agent = (image == AGENT[:, None, None]).all(axis=0)
        rows, cols = np.nonzero(is_agent)
        assert box[0].tolist() == [cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]
        np.testing.assert_array_equal(mask == OBJECTS.index("agent"), is_agent)
        centre = (box[0, 1] + box[0, 3]) / 2 / height * 6, (box[0, 0] + box[0, 2]) / 2 / width * 5
        assert divmod(int(state), 5) == (int(centre[0]), int(centre[1]))
    # Away from the agent, each pixel has the colour in which the engine paints its object's cell.
    expected = {"wall": (3, 0), "goal": (4, 0), "pit": (3, 2), "jump": (0, 4)}
    for name, (col, row) in expected.items():
        inside = about.masks[0] == OBJECTS.index(name)
        assert inside[int((row + 0.5) * height / 6), int((col + 0.5) * width / 5)]


def test_goals_have_the_box_of_their_cell_also_under_the_agent() -> None:
    cells = parse_map("S.G/...")
    _, _, about, _ = annotated(cells, np.array([0, 2]), "20x30")
    np.testing.assert_array_equal(about.boxes[:, 1], [[20, 0, 30, 10]] * 2)
    assert (about.masks[0, :10, 20:] == OBJECTS.index("goal")).all()


def test_masks_give_each_letter_its_object() -> None:
    cells = parse_map("SA#G/.aP./C..3")
    _, _, about, _ = annotated(cells, np.array([7]), "12x16")
    ids = about.masks[0].numpy()[::4, ::4]  # a pixel of each cell; the agent's disc leaves the corners free
    names = [[OBJECTS[i] for i in row] for row in ids]
    assert names == [
        ["start", "jump", "wall", "goal"],
        ["floor", "floor", "pit", "floor"],
        ["cliff", "floor", "floor", "goal"],
    ]


def test_captions_say_what_the_engine_knows() -> None:
    cells = parse_map("S#.../..#../.#G#./..#../.....")
    goals = np.argwhere(cells == ord("G"))
    expected = {
        (0, 0): "the agent is above and left of the goal, a wall is on its right",
        (0, 2): "the agent is above the goal, walls are on its left and below it",
        (2, 2): "the agent is at the goal, walls are on its left, on its right, above it and below it",
        (4, 4): "the agent is below and right of the goal, no wall is beside it",
        (2, 4): "the agent is right of the goal, a wall is on its left",
        (4, 2): "the agent is below the goal, a wall is above it",
    }
    for place, words in expected.items():
        assert caption(cells, np.array(place), goals) == words
    assert caption(cells, np.array([4, 0]), goals[:0]) == "the agent is in row 5, column 1, no wall is beside it"


def test_captions_and_labels_of_what_is_played() -> None:
    data = load_images("frames:palestra/GridWorld-v0", num=300, states="drawn")
    where = load_images("frames:palestra/GridWorld-v0", num=300, states="drawn", label="goal")
    cells = EnvSpec("palestra/GridWorld-v0").make().unwrapped.grid.cells
    row, col = np.divmod(states_of(data), 9)  # the Dyna maze is 6 x 9, its goal in the top right corner
    assert data.num_classes == 54
    assert data.classes[12] == "row 2, column 4"
    for i, text in enumerate(notes(data).captions):
        assert ("above" in text.split(",")[0]) == bool(row[i] < 0)
        assert ("left of the goal" in text) == bool(col[i] < 8)
        assert ("wall" in text and "on its right" in text) == bool(
            col[i] < 8 and cells[row[i], min(col[i] + 1, 8)] == ord("#")
        )
        assert text.split("is ")[1].startswith(RELATIONS[states_of(where)[i]])
    for label, expected in (("row", row), ("column", col)):
        other = load_images("frames:palestra/GridWorld-v0", num=300, states="drawn", label=label)
        np.testing.assert_array_equal(states_of(other), expected)


def test_drawn_states_are_those_that_can_be_reached() -> None:
    # The right half is behind a wall, and the jump leads from the second cell to the last of the first row.
    env = {"map": "SA.a#../....#.G"}
    data = load_images("frames:palestra/GridWorld-v0", num=500, states="drawn", env=env)
    assert set(states_of(data)) == {0, 1, 2, 3, 7, 8, 9, 10}


def test_many_mazes() -> None:
    data = load_images("frames:palestra/Maze-v0", num=40, layouts=8, states="drawn", size=63, env={"size": 7})
    assert data.pixels.shape == (40, 3, 63, 63)
    walls = notes(data).masks == OBJECTS.index("wall")
    assert len(torch.unique(walls.flatten(1), dim=0)) == 8
    first = data.subset(torch.arange(5))
    _, held_out = data.split(0.25)
    assert len(notes(held_out).captions) == 10
    assert notes(first).boxes.shape == (5, 2, 4)
    empty = map_image(EnvSpec("palestra/Maze-v0", kwargs={"size": 7}).make().unwrapped.grid.cells, side=9)
    shown = (first.pixels.numpy() == empty.transpose(2, 0, 1)).all(axis=1)
    np.testing.assert_array_equal(shown, notes(first).masks.numpy() != OBJECTS.index("agent"))


def test_annotations_go_with_their_images() -> None:
    data = load_images("frames:palestra/GridWorld-v0", num=50)
    part = data.subset([7, 3])
    assert notes(part).captions == (notes(data).captions[7], notes(data).captions[3])
    assert torch.equal(notes(part).boxes, notes(data).boxes[[7, 3]])
    assert torch.equal(notes(part).masks, notes(data).masks[[7, 3]])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("frames:ALE/Pnog-v5", {}, "did you mean ALE/Pong-v5"),
        ("frames:CartPole-v1", {}, "CartPole-v1 shows Box.*frames are taken of images"),
        ("frames:ALE/Pong-v5", {"size": 42}, "size is an option of frames of grid worlds, but ALE/Pong-v5 is none"),
        ("frames:palestra/Maze-v0", {"stack": 4}, "stack is an option of frames of Atari games"),
        ("frames:palestra/Maze-v0", {"num": 0}, "num is 0, but must be at least 1"),
        ("frames:palestra/Maze-v0", {"seed": -1}, "seed must not be negative"),
        ("frames:palestra/Maze-v0", {"label": "colour"}, "label is 'colour', but one of cell, row, column, goal"),
        ("frames:palestra/Maze-v0", {"states": "all"}, "states is 'all', but one of played, drawn"),
        ("frames:palestra/Maze-v0", {"size": 20}, "size is 20x20, but a map of 20 x 20 cells takes at least 60x60"),
        ("frames:palestra/Maze-v0", {"env": {"size": 2}}, "a maze has 3 to 1000 cells"),
        ("frames:palestra/JumpGrid-v0", {"label": "goal"}, "the map has no goal"),
        ("frames:palestra/GridWorld-v0", {"layouts": 2}, "does not take the options"),
    ],
)
def test_what_is_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_images(name, **options)
