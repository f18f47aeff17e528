"""The count of a finished game of Go, in which stones that are dead may be taken off first."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from palestra.envs.game import State
from palestra.envs.go.dead import dead_stones, take_off
from palestra.envs.go.rules import Rules
from palestra.envs.go.scoring import owners, score_2
from palestra.envs.go.state import PASSES, SIZE


def dead_at_end(state: State, rules: Rules) -> list[int]:
    """Lists the stones, as actions, that are taken off here under some rules: the dead ones, after two passes."""
    return dead_stones(state) if state[PASSES] >= 2 and rules.agreement else []


def lead_without(state: State, dead: Collection[int] = ()) -> float:
    """Returns Black's lead, komi counted, with some stones taken off as prisoners and all others alive."""
    return float(score_2(_without(state, dead))) / 2


def owners_without(state: State, dead: Collection[int]) -> NDArray[np.int64]:
    """Returns whose each point is, `[N * N]`, with some stones taken off: 0 nobody's, 1 Black's, 2 White's."""
    owner = np.empty(int(state[SIZE]) ** 2, np.int64)
    owners(_without(state, dead), owner)
    return owner


def score_text(lead: float) -> str:
    """Writes Black's lead as GTP and SGF do."""
    return f"{'B' if lead > 0 else 'W'}+{abs(lead):g}" if lead else "0"


def _without(state: State, dead: Collection[int]) -> State:
    """Returns a copy without some stones, to be counted and not to be played on: chains are as they were."""
    copy, marks = state.copy(), np.zeros(int(state[SIZE]) ** 2, np.bool_)
    marks[list(dead)] = True
    take_off(copy, marks)
    return copy
