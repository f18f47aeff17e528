"""The rules against their twin, against Gymnasium's tables and against published values."""

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numba import config

from palestra.envs.gridrules import first_outside, make_grid, start_cell, step_cell, step_kernel
from palestra.envs.mdp import MDP
from palestra.envs.rng import seed_state
from tests.naive import NaiveGrid, NaiveRandom, naive_values

pytestmark = pytest.mark.kernel

ROUNDS = 5 if config.DISABLE_JIT else 40


def random_map(random: np.random.Generator, several_starts: bool) -> list[str]:
    """A map of up to 6 x 7 cells with all kinds of letters."""
    height, width = random.integers([2, 4], [7, 8])
    letters = random.choice(list("....##GP37AABC" if not several_starts else "...S##GP37AAB"), (height, width))
    letters.flat[random.choice(letters.size, 5, replace=False)] = list("SaAbB")
    return ["".join(row) for row in letters]


def random_options(random: np.random.Generator, width: int) -> dict[str, Any]:
    """Options that `make_grid` and its twin share."""
    return {
        "slip": float(random.choice([0.0, 0.3, 1.0])),
        "wind": random.integers(-2, 3, width).tolist(),
        "step_reward": -0.25,
        "bump_reward": float(random.choice([-0.25, -2.0])),
        "rewards": {"G": 2.0, "A": 10.0, "3": 0.5},
    }


@pytest.mark.parametrize("moves", ["4", "8", "9"])
def test_the_mdp_equals_the_twin(moves: str) -> None:
    random = np.random.default_rng(int(moves))
    for round in range(ROUNDS):
        rows = random_map(random, several_starts=round % 2 == 0)
        options = random_options(random, len(rows[0]))
        grid, twin = make_grid(rows, moves=moves, mask_walls=True, **options), NaiveGrid(rows, **options)
        mdp = grid.mdp(0.9)
        assert mdp.next_state.shape == (len(twin.letters), int(moves), 3 if options["slip"] else 1)
        for s, a in np.ndindex(mdp.allowed.shape):
            table = (mdp.probability[s, a], mdp.next_state[s, a], mdp.reward[s, a], mdp.terminated[s, a])
            assert list(zip(*(column.tolist() for column in table), strict=True)) == twin.outcomes(s, a)
        bumps = np.array([[twin.bumps(s, a) for a in range(int(moves))] for s in range(mdp.num_states)])
        assert (mdp.allowed == (~bumps | bumps.all(axis=1, keepdims=True))).all()
        starts = [s for s, letter in enumerate("".join(rows)) if letter == "S"]
        assert np.flatnonzero(mdp.start).tolist() == starts
        assert make_grid(rows, moves=moves, **options).allowed.all()


def test_playing_equals_the_twin_with_the_same_random_numbers() -> None:
    rows = ["S..#3", ".#A.P", "..S.a", "...#G"]
    options = {"slip": 0.4, "wind": [0, 1, 0, -1, 0], "step_reward": -0.1}
    tables, twin = make_grid(rows, **options).tables, NaiveGrid(rows, **options)
    rng, random = seed_state(1), NaiveRandom(seed_state(1))
    actions = np.random.default_rng(0).integers(4, size=300).tolist()
    s, ends = int(start_cell(tables, rng)), 0
    assert s == (0, 12)[random.randint(2)]
    for a in actions:
        outcomes = twin.outcomes(s, a)
        _, *wanted = outcomes[random.categorical([outcome[0] for outcome in outcomes])]
        assert list(step_cell(tables, s, a, rng)) == wanted
        s = wanted[0]
        if wanted[2]:
            ends += 1
            s = int(start_cell(tables, rng))
            assert s == (0, 12)[random.randint(2)]
    assert ends >= 5


def test_step_kernel_steps_each_world_by_itself_and_resets_what_ended() -> None:
    tables, limit, n = make_grid("S.G/.S.", slip=0.5).tables, 4, 5
    rng = np.stack([seed_state(i) for i in range(n)])
    alone = rng.copy()
    state, elapsed = np.array([start_cell(tables, r) for r in rng], np.int64), np.zeros(n, np.int64)
    wanted_state = [int(start_cell(tables, r)) for r in alone]
    wanted_elapsed = [0] * n
    for action in np.random.default_rng(0).integers(4, size=(60, n)):
        seen, reward, terminated, truncated = step_kernel(tables, limit, state, elapsed, rng, action)
        for i in range(n):
            s, r, ended = step_cell(tables, wanted_state[i], action[i], alone[i])
            wanted_elapsed[i] += 1
            assert (seen[i], reward[i], terminated[i], truncated[i]) == (s, r, ended, wanted_elapsed[i] == limit)
            wanted_state[i] = s
            if ended or wanted_elapsed[i] == limit:
                wanted_state[i], wanted_elapsed[i] = int(start_cell(tables, alone[i])), 0
        assert state.tolist() == wanted_state
        assert elapsed.tolist() == wanted_elapsed
    assert (rng == alone).all()


def test_first_outside_names_the_first_world_whose_action_is_not_allowed() -> None:
    allowed = np.array([[1, 0], [1, 1]], np.int8)
    state = np.array([1, 0, 0])
    for action, wanted in (([0, 0, 0], -1), ([1, 0, 1], 2), ([1, 1, 1], 1), ([2, 0, 0], 0), ([-1, 0, 0], 0)):
        assert first_outside(allowed, state, np.array(action)) == wanted


def matrices(mdp: MDP, order: list[int]) -> tuple[Any, Any, Any]:
    """Transition matrix `[S, A, S]`, mean reward and chance of an end, actions in the given order."""
    follow = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states))
    for s, a, k in np.ndindex(mdp.next_state.shape):
        follow[s, a, mdp.next_state[s, a, k]] += mdp.probability[s, a, k]
    mean = (mdp.probability * mdp.reward).sum(axis=2)
    return follow[:, order], mean[:, order], (mdp.probability * mdp.terminated).sum(axis=2)[:, order]


# Gymnasium's actions: the lake's are left, down, right, up; the cliff's are ours
@pytest.mark.parametrize(
    ("id", "options", "order"),
    [
        ("FrozenLake-v1", {"slip": 2 / 3, "rewards": {"P": 0.0}}, [3, 2, 1, 0]),
        ("FrozenLake8x8-v1", {"slip": 2 / 3, "rewards": {"P": 0.0}}, [3, 2, 1, 0]),
    ],
)
def test_the_lake_is_gymnasiums(id: str, options: dict[str, Any], order: list[int]) -> None:
    lake: Any = gym.make(id).unwrapped
    rows = [row.tobytes().decode().replace("F", ".").replace("H", "P") for row in lake.desc]
    theirs, ours = MDP.from_env(lake), make_grid(rows, **options).mdp()
    for given, wanted in zip(matrices(ours, order), matrices(theirs, [0, 1, 2, 3]), strict=True):
        assert np.allclose(given, wanted, atol=1e-12)


def test_the_cliff_is_gymnasiums_wherever_one_can_be() -> None:
    theirs, ours = MDP.from_env(gym.make("CliffWalking-v1")), MDP.from_env(gym.make("palestra/Cliff-v0"))
    order = [0, 1, 2, 3]
    for given, wanted in zip(matrices(ours, order), matrices(theirs, order), strict=True):
        assert np.allclose(given[:37], wanted[:37], atol=1e-12)


def solve(id: str, discount: float, random: bool = False, **options: Any) -> Any:
    """The optimal values of a registered world, or those of the uniformly random policy, `[S]`."""
    mdp = MDP.from_env(gym.make(id, **options), discount)
    return naive_values(mdp, np.full(mdp.allowed.shape, 1 / mdp.num_actions) if random else None)


# Sutton and Barto, "Reinforcement Learning", 2nd edition, 2018: the figures of the examples named
def test_example_4_1_random_policy() -> None:
    table = [[0, -14, -20, -22], [-14, -18, -20, -20], [-20, -20, -18, -14], [-22, -20, -14, 0]]
    assert np.allclose(solve("palestra/Classic4x4-v0", 1.0, random=True), np.ravel(table), atol=1e-9)


def test_example_4_1_optimal_policy() -> None:
    table = [[0, -1, -2, -3], [-1, -2, -3, -2], [-2, -3, -2, -1], [-3, -2, -1, 0]]
    assert np.allclose(solve("palestra/Classic4x4-v0", 1.0), np.ravel(table), atol=1e-9)


def test_example_3_5_random_policy() -> None:
    table = [3.3, 8.8, 4.4, 5.3, 1.5, 1.5, 3.0, 2.3, 1.9, 0.5, 0.1, 0.7, 0.7, 0.4, -0.4]
    table += [-1.0, -0.4, -0.4, -0.6, -1.2, -1.9, -1.3, -1.2, -1.4, -2.0]
    values = solve("palestra/JumpGrid-v0", 0.9, random=True)
    assert np.abs(values - table).max() < 0.05
    assert values[[1, 3]] == pytest.approx([8.7893, 5.3224], abs=1e-4)


def test_example_3_8_optimal_policy() -> None:
    table = [22.0, 24.4, 22.0, 19.4, 17.5, 19.8, 22.0, 19.8, 17.8, 16.0, 17.8, 19.8, 17.8, 16.0, 14.4]
    table += [16.0, 17.8, 16.0, 14.4, 13.0, 14.4, 16.0, 14.4, 13.0, 11.7]
    values = solve("palestra/JumpGrid-v0", 0.9)
    assert np.abs(values - table).max() < 0.05
    assert values[1] == pytest.approx(10 / (1 - 0.9**5))


@pytest.mark.parametrize(("moves", "steps"), [("4", 15), ("8", 7), ("9", 7)])
def test_example_6_5_and_exercise_6_9_windy_grid(moves: str, steps: int) -> None:
    assert solve("palestra/WindyGrid-v0", 1.0, moves=moves)[30] == pytest.approx(-steps)


def test_example_6_6_cliff() -> None:
    assert solve("palestra/Cliff-v0", 1.0)[36] == pytest.approx(-13)
    assert solve("palestra/Cliff-v0", 0.99)[36] == pytest.approx(-12.2478977)


def test_example_8_1_dyna_maze_takes_14_steps() -> None:
    assert solve("palestra/GridWorld-v0", 0.95)[18] == pytest.approx(0.95**13)


def test_the_utilities_of_russell_and_norvigs_world() -> None:
    # "Artificial Intelligence", 3rd edition, Figure 17.3; they pay for the cell that is left, we for the one entered
    values = naive_values(make_grid("...G/.#.P/S...", slip=0.2, step_reward=-0.04).mdp(1.0)) - 0.04
    table = {0: 0.812, 1: 0.868, 2: 0.918, 4: 0.762, 6: 0.660, 8: 0.705, 9: 0.655, 10: 0.611, 11: 0.388}
    assert {s: round(float(values[s]), 3) for s in table} == table


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"slip": 1.5}, "slip is 1.5, but a probability between 0 and 1 is wanted"),
        ({"slip": -0.1}, "slip is -0.1"),
        ({"slip": np.nan}, "slip is nan"),
        ({"moves": "5"}, "moves is '5', but '4', '8' (king's moves) or '9' (king's moves and stay) is wanted"),
        ({"wind": [1, 0]}, "wind must hold an integer for each of the 3 columns, but is [1, 0]"),
        ({"wind": [0.5, 0, 0]}, "wind must hold an integer for each of the 3 columns"),
        ({"step_reward": np.inf}, "step_reward and bump_reward must be finite, but are inf and inf"),
        ({"bump_reward": np.nan}, "step_reward and bump_reward must be finite, but are 0.0 and nan"),
        ({"rewards": {"X1": 0.0}}, "'X1' cannot have a reward"),
    ],
)
def test_a_wrong_option_is_refused_with_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make_grid("S.G", **options)


def test_a_cell_where_every_move_bumps_keeps_all_of_them() -> None:
    allowed = make_grid("S#S/#.G", mask_walls=True).allowed
    assert allowed[0].tolist() == [1, 1, 1, 1]
    assert allowed[2].tolist() == [0, 0, 1, 0]


def test_moves_may_be_given_as_a_number() -> None:
    assert make_grid("S.G", moves=8).allowed.shape == (3, 8)  # type: ignore[arg-type]
