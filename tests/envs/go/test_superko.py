"""Repetition and suicide on boards whose outcome others published; each is also played in the twin.

The boards are our own or of a published kind; what is expected of each kind under each of the three rules is stated by
Fuego's `regression/repetition.tst` (simple ko, long life, triple ko, two return one) and by KataGo's
`cpp/tests/testrules.cpp` (the same, eternal life, suicide of two stones).
"""

import pytest

from palestra.envs.go.game import parse_vertex
from palestra.envs.go.position import Position, from_rows
from palestra.envs.go.rules import SUPERKO, Rules, Superko
from tests.envs.go.checks import board_of, check_board
from tests.naive_go import NaiveGo

pytestmark = pytest.mark.kernel

BLACK, WHITE = 1, 2
CORNER_KO = [
    ". . X O .",
    ". . . X O",
    ". . . . .",
    ". . . . .",
    ". . . . .",
]
SENDING_TWO = [  # White C1 sends two stones, Black A1 takes them, White B1 returns one
    ". . . . .",
    "O O O O .",
    "O X X O .",
    "O X X X .",
    ". O . X .",
]
ETERNAL_LIFE = [
    ". . . . . . . .",
    ". . . . . . . .",
    ". . . . . . . .",
    ". . . . . . . .",
    ". . X X X X X X",
    ". . X O O O O O",
    "X X O O X X X O",
    ". O X . O . X .",
]
TRIPLE_KO = [
    ". . . . . . .",
    ". . . . . . .",
    "X X X X X X X",
    "O O O O O O O",
    "O . O X O X O",
    "X O X . X . X",
    "X X X X X X X",
]
TWO_STONES = [  # Black B6 is suicide of two stones
    "X . O X O .",
    "O O O X X O",
    ". . . . X X",
    ". . . . . .",
    ". . . . . .",
    ". . . . . .",
]
LONE_POINT = [
    ". O . .",
    "O . . .",
    ". . . .",
    ". . . X",
]
BULKY_FIVE = [  # Black C5 fills the last point of a bulky five
    "X X . O . .",
    "X X O O . .",
    "O O O . . .",
    ". . . . . .",
    ". . . . . .",
    ". . . . . X",
]
SNAPBACK = [
    ". . . . .",
    ". . . . .",
    "X X . . .",
    "O O X . .",
    ". . O X .",
]


def start(rows: list[str], to_move: int, superko: Superko, suicide: bool = False) -> tuple[Position, NaiveGo]:
    """Sets up a board in the engine and in the twin."""
    rules = Rules(len(rows), superko=superko, suicide=suicide)
    position = from_rows(rows, rules, to_move)
    return position, NaiveGo(rules, board_of(position.state), to_move)


def play_both(position: Position, twin: NaiveGo, moves: str) -> None:
    """Plays moves, as in A1 pass B2, by turns in both, and compares what is legal after each."""
    for name in moves.split():
        action = parse_vertex(position.rules.size, name)
        position.play(action)
        twin.play(action)
        check_board(position.state)
        assert board_of(position.state) == twin.board
        assert position.legal().tolist() == twin.legal()


def why_not(position: Position, name: str) -> str:
    """Says which rule forbids the player to move a point."""
    return position.forbidden(parse_vertex(position.rules.size, name), position.to_move)


KO, SUPERKO_FORBIDS, SUICIDE = "the ko may", "superko: the position", "it would be suicide"
CYCLES = [  # board, who begins, moves, the move that completes the cycle: forbidden by simple, positional, situational
    ("simple ko", CORNER_KO, BLACK, "E5", "D5", KO, KO, KO),
    ("ko after a threat", CORNER_KO, BLACK, "E5 A1 B2", "D5", "", "", ""),
    ("ko after a pass", CORNER_KO, BLACK, "E5 pass A1", "D5", "", "", ""),
    ("two return one", SENDING_TWO, WHITE, "C1 A1", "B1", "", SUPERKO_FORBIDS, ""),
    ("eternal life", ETERNAL_LIFE, WHITE, "F1 D1 E1", "C1", "", SUPERKO_FORBIDS, SUPERKO_FORBIDS),
    ("eternal life, a step before", ETERNAL_LIFE, WHITE, "F1 D1", "E1", "", "", ""),
    ("triple ko", TRIPLE_KO, WHITE, "D2 B3 F2 D3 B2", "F3", "", SUPERKO_FORBIDS, SUPERKO_FORBIDS),
    ("triple ko, the last one taken", TRIPLE_KO, WHITE, "D2 B3 F2 D3 B2", "B3", KO, KO, KO),
    ("triple ko, a threat between", TRIPLE_KO, WHITE, "D2 B3 F2 D3 B2 A7 G7", "F3", "", "", ""),
]


@pytest.mark.parametrize("case", CYCLES, ids=lambda case: case[0])
@pytest.mark.parametrize("superko", SUPERKO)
def test_cycles(case: tuple[str, list[str], int, str, str, str, str, str], superko: Superko) -> None:
    _, rows, to_move, moves, last, *expected = case
    position, twin = start(rows, to_move, superko)
    play_both(position, twin, moves)
    reason = why_not(position, last)
    wanted = expected[SUPERKO.index(superko)]
    assert wanted in reason
    assert bool(reason) == bool(wanted)
    if not wanted:
        play_both(position, twin, last)


@pytest.mark.parametrize("superko", SUPERKO)
def test_a_cycle_with_a_pass_is_situational_too(superko: Superko) -> None:
    """Sending two again after Black passes makes the position that White made before."""
    position, twin = start(SENDING_TWO, WHITE, superko)
    play_both(position, twin, "C1 A1")
    if superko == "positional":
        assert SUPERKO_FORBIDS in why_not(position, "B1")
        return
    play_both(position, twin, "B1 pass")
    assert (SUPERKO_FORBIDS in why_not(position, "C1")) == (superko == "situational")


@pytest.mark.parametrize("superko", SUPERKO)
def test_superko_never_forbids_a_pass(superko: Superko) -> None:
    position, twin = start(CORNER_KO, BLACK, superko)
    play_both(position, twin, "E5 pass A1 pass B2 C1")
    assert position.legal()[-1]
    play_both(position, twin, "pass pass")
    assert position.over


@pytest.mark.parametrize("superko", SUPERKO)
def test_suicide_of_two_stones(superko: Superko) -> None:
    forbidding, _ = start(TWO_STONES, BLACK, superko)
    assert why_not(forbidding, "B6") == SUICIDE
    position, twin = start(TWO_STONES, BLACK, superko, suicide=True)
    play_both(position, twin, "B6 pass")
    assert position.captured == (0, 2)
    assert position.board[0].tolist() == [0, 0, 2, 1, 2, 0]
    # the stone at A6 again: the first position, but with White to move
    assert (SUPERKO_FORBIDS in why_not(position, "A6")) == (superko == "positional")
    if superko != "positional":
        play_both(position, twin, "A6 pass")
        # and the two taken off again: seen before, with White to move
        assert (SUPERKO_FORBIDS in why_not(position, "B6")) == (superko == "situational")


@pytest.mark.parametrize("superko", SUPERKO)
def test_suicide_of_one_stone_is_a_pass_that_repeats_the_position(superko: Superko) -> None:
    forbidding, _ = start(LONE_POINT, BLACK, superko)
    assert why_not(forbidding, "A4") == SUICIDE
    position, twin = start(LONE_POINT, BLACK, superko, suicide=True)
    if superko == "positional":
        assert SUPERKO_FORBIDS in why_not(position, "A4")
        return
    before = position.board
    play_both(position, twin, "A4")
    assert (position.board == before).all()
    assert position.captured == (0, 1)
    play_both(position, twin, "pass")
    assert (SUPERKO_FORBIDS in why_not(position, "A4")) == (superko == "situational")
    if superko == "simple":
        play_both(position, twin, "A4 A4")  # White's is no suicide, and takes the point for good


@pytest.mark.parametrize("superko", SUPERKO)
def test_suicide_of_a_bulky_five(superko: Superko) -> None:
    forbidding, _ = start(BULKY_FIVE, BLACK, superko)
    assert why_not(forbidding, "C6") == SUICIDE
    position, twin = start(BULKY_FIVE, BLACK, superko, suicide=True)
    play_both(position, twin, "C6")
    assert position.captured == (0, 5)
    play_both(position, twin, "B5 A6 pass A5 B6")  # the same five points may be fought over


@pytest.mark.parametrize("superko", SUPERKO)
def test_a_move_that_takes_stones_is_no_suicide(superko: Superko) -> None:
    rows = [". O X .", "O X X .", "X . . .", ". . . ."]
    position, twin = start(rows, BLACK, superko)
    play_both(position, twin, "A4")
    assert position.captured == (2, 0)
    assert position.board[0].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("superko", SUPERKO)
def test_snapback_takes_more_than_was_given(superko: Superko) -> None:
    position, twin = start(SNAPBACK, BLACK, superko)
    play_both(position, twin, "A1 B1")
    assert position.captured == (0, 1)
    assert why_not(position, "A1") == ""
    play_both(position, twin, "A1")
    assert position.captured == (4, 1)
