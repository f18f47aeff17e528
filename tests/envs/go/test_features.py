"""The planes that networks see: against plain boards, and by hand."""

import numpy as np
import pytest
from numba import config
from numpy.typing import NDArray

from palestra.envs.go.features import FEATURES, feature_set
from palestra.envs.go.play import play
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import State, new_state
from tests.naive_features import TWINS
from tests.naive_go import NaiveGo

NO_RNG, NO_DATA = np.zeros(4, np.uint64), np.zeros(1)
SIZES = (2, 5) if config.DISABLE_JIT else (2, 5, 9)
GAMES = 1 if config.DISABLE_JIT else 2


def planes(state: State, name: str, size: int) -> NDArray[np.float32]:
    """The planes of a state; what was in the array before must not matter."""
    function, shape = feature_set(name, size)
    obs = np.full(int(np.prod(shape)), np.nan, np.float32)
    assert function(state, obs, NO_DATA) == 0
    return obs.reshape(shape)


def assert_same(given: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    """Compares planes; NaN stands for a ladder that goes round a ko for ever."""
    known = ~np.isnan(wanted)
    assert given.shape == wanted.shape
    np.testing.assert_array_equal(np.argwhere((given != wanted) & known), np.empty((0, 3)))


def test_the_sets_and_their_planes() -> None:
    assert {name: count for name, (count, _) in FEATURES.items()} == {
        "alphago-zero": 17,
        "alphago": 48,  # the sum of Extended Data Table 2 without "Player color"
        "alphago-value": 49,
        "stones": 4,
    }
    assert feature_set("alphago-zero", 19)[1] == (17, 19, 19)
    assert FEATURES.keys() == TWINS.keys()


def test_an_unknown_set_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="there are no feature planes named 'alphazero'; did you mean alphago-zero"):
        feature_set("alphazero", 9)
    with pytest.raises(ValueError, match="named 'x'; there are alphago-zero"):
        feature_set("x", 9)


@pytest.mark.kernel
@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("size", SIZES)
def test_planes_equal_those_of_plain_boards_all_through_random_games(name: str, size: int) -> None:
    rare = 7 if name.startswith("alphago") and name != "alphago-zero" and size > 3 else 1  # the twin is slow
    for seed in range(GAMES):
        random = np.random.default_rng([size, seed])
        rules = Rules(size=size, suicide=bool(seed % 2), superko="positional", max_moves=70)
        state, twin = new_state(rules), NaiveGo(rules)
        while not twin.over:
            if len(twin.actions) % rare == 0:
                assert_same(planes(state, name, size), TWINS[name](twin))
            legal = np.flatnonzero(twin.legal())
            action = int(random.choice(legal[:-1] if len(legal) > 1 and random.random() < 0.9 else legal))
            play(state, action, NO_RNG, NO_DATA)
            twin.play(action)
        assert_same(planes(state, name, size), TWINS[name](twin))


@pytest.mark.kernel
def test_alphagos_planes_of_one_position() -> None:
    """All read by hand, Black to move.

      A B C D E
    5 X O . . .   Black A5 has one liberty, A4; White B5 two, C5 and B4
    4 . . . . .
    3 . . X . .   Black C3 has four liberties
    2 . . . . .
    1 . . . . .
    """
    state = new_state(Rules(size=5))
    for action in (12, 1, 0, 25):  # C3, B5, A5, a pass: Black is to move
        play(state, action, NO_RNG, NO_DATA)
    seen = planes(state, "alphago", 5)

    def points(first: int, last: int) -> list[list[int]]:
        return np.argwhere(seen[first : last + 1]).tolist()  # type: ignore[no-any-return]

    assert points(0, 1) == [[0, 0, 0], [0, 2, 2], [1, 0, 1]]
    assert seen[2].sum() == 22
    assert (seen[3] == 1).all()
    assert points(4, 11) == [[1, 0, 0], [2, 0, 1], [3, 2, 2]]  # A5 two moves ago, B5 three, C3 four
    assert points(12, 19) == [[0, 0, 0], [1, 0, 1], [3, 2, 2]]  # one, two and four liberties
    assert points(20, 27) == []
    assert points(28, 35) == []
    assert seen[36:44].sum() == 22  # every move leaves its chain between one and eight liberties
    assert seen[36:44, 1, 0].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]  # A4, with A5: A3 and B4
    assert seen[36:44, 3, 2].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]  # C2, with C3: six
    # B4 catches B5, which can only take A5 and be taken at A3; from C5 it gets out by B4, with three liberties
    assert points(44, 44) == [[0, 1, 1]]
    assert points(45, 45) == []  # A5 runs along the edge by A4, A3, A2 and is caught in the corner
    assert seen[46].sum() == 22
    assert not seen[47].any()
    play(state, 6, NO_RNG, NO_DATA)  # B4: White sees it as the opponent's, one move old
    value = planes(state, "alphago-value", 5)
    assert value[1, 1, 1] == value[4, 1, 1] == 1
    assert not value[48].any()


@pytest.mark.kernel
def test_own_stones_come_first_and_the_last_plane_tells_black() -> None:
    """Black at A3, White at C1 on 3x3, then Black to move: Silver et al. 2017, X_t, Y_t, X_t-1, Y_t-1 ..., C."""
    state = new_state(Rules(size=3))
    for action in (0, 8):
        play(state, action, NO_RNG, NO_DATA)
    seen = planes(state, "alphago-zero", 3)
    assert np.argwhere(seen[:16]).tolist() == [[0, 0, 0], [1, 2, 2], [2, 0, 0]]
    assert (seen[16] == 1).all()
    play(state, 9, NO_RNG, NO_DATA)  # White sees the same boards, one move older, from its side
    seen = planes(state, "alphago-zero", 3)
    assert np.argwhere(seen[:16]).tolist() == [[0, 2, 2], [1, 0, 0], [2, 2, 2], [3, 0, 0], [5, 0, 0]]
    assert (seen[16] == 0).all()


@pytest.mark.kernel
def test_a_board_older_than_eight_moves_is_forgotten() -> None:
    state = new_state(Rules(size=5))
    for action in range(9):
        play(state, 2 * action, NO_RNG, NO_DATA)
    seen = planes(state, "alphago-zero", 5)
    assert seen[:16].sum() == sum(range(2, 10))  # stones on the boards after 2 to 9 moves


@pytest.mark.kernel
def test_forbidden_points_are_ko_suicide_and_superko() -> None:
    """Black has just taken one stone in a ko at B3: White may not take back, nor die in the corner A4."""
    position = from_rows([".XO.", "XO.O", ".XO.", "...."], Rules(size=4))
    position.play(6)
    assert np.argwhere(planes(position.state, "stones", 4)[2]).tolist() == [[0, 0], [1, 1]]


@pytest.mark.kernel
def test_handicap_stones_are_seen_and_no_board_before_them() -> None:
    state = new_state(Rules(size=9, handicap=2))
    seen = planes(state, "alphago-zero", 9)
    assert seen[1].sum() == 2  # White, who moves first, sees them as the opponent's
    assert seen.sum() == 2
