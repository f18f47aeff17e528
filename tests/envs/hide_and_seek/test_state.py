"""Records of bodies and games."""

import numpy as np

from palestra.envs.hide_and_seek.scenario import SCENARIOS
from palestra.envs.hide_and_seek.state import ABSENT, BODY, FREE, GAME, RULES, new_bodies, num_moving


def test_new_bodies_are_absent_and_hold_nothing() -> None:
    bodies = new_bodies(3, 7)
    assert bodies.shape == (3, 7)
    assert (bodies.kind == ABSENT).all()
    for name in ("team", "hold", "ramp"):
        assert (bodies[name] == FREE).all()
    bodies[1, 2].x = 4.0  # a record is a view, as in compiled code
    assert bodies["x"][1, 2] == 4.0


def test_what_moves_comes_before_the_walls() -> None:
    rules = SCENARIOS["full"].rules()[0]
    assert num_moving(rules) == 4 + 9 + 2
    assert SCENARIOS["full"].bodies > num_moving(rules)


def test_all_words_are_of_eight_bytes() -> None:
    for record in (BODY, GAME, RULES):
        kinds = {record[name] for name in record.names or ()}
        assert kinds == {np.dtype("f8"), np.dtype("i8")}
        assert record.itemsize == 8 * len(record.names or ())
