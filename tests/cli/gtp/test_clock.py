import math

import pytest

from palestra.cli.gtp.clock import LAG, LEAST, TimeLeft, TimeSettings, budget, moves_left, standard
from tests.cli.gtp.doubles import asker, new_engine, refusals


def test_standard_settings() -> None:  # GTP 2 draft 2, section 4.2
    assert standard(600, 30, 0) == TimeSettings("none")
    assert standard(600, 0, 0) == TimeSettings("absolute", 600)
    assert standard(600, 30, 25) == TimeSettings("canadian", 600, 30, 25)
    assert math.isinf(budget(standard(0, 1, 0), TimeLeft(5), 9, 0))


def test_sudden_death_spreads_what_is_left_over_the_moves_to_come() -> None:
    settings = TimeSettings("absolute", 300)
    assert budget(settings, None, 9, 0) == pytest.approx(300 / (0.35 * 81) - LAG)  # 28 own moves on 9x9
    assert budget(settings, TimeLeft(60), 9, 20) == pytest.approx(60 / (0.35 * 81 - 20) - LAG)
    assert budget(settings, TimeLeft(60), 9, 200) == pytest.approx(60 / 8.1 - LAG)  # 8 may always be left
    assert budget(settings, TimeLeft(0), 9, 10) == budget(settings, TimeLeft(0.2), 9, 10) == LEAST


@pytest.mark.parametrize("size", [2, 9, 19, 25])
def test_sudden_death_never_ends(size: int) -> None:
    left, settings = 60.0, TimeSettings("absolute", 60)
    for played in range(400):
        left -= budget(settings, TimeLeft(left), size, played)
    assert left > -400 * LEAST  # the least that a move takes is all that is lost


def test_canadian_overtime() -> None:
    settings = TimeSettings("canadian", 60, 300, 20)
    assert budget(settings, TimeLeft(300, 20), 19, 90) == pytest.approx(15 - LAG)
    assert budget(settings, TimeLeft(20, 1), 19, 90) == pytest.approx(19 - LAG)  # 95 % for the last stone
    assert budget(settings, TimeLeft(60, 0), 19, 0) == pytest.approx(15 - 2 * LAG)  # not below that of overtime
    assert budget(TimeSettings("canadian", 0, 300, 20), None, 19, 0) == pytest.approx(15 - LAG)


def test_byoyomi() -> None:
    settings = TimeSettings("byoyomi", 600, 30, 5)
    assert budget(settings, TimeLeft(30, 5), 19, 99) == budget(settings, TimeLeft(30, 1), 19, 99)
    assert budget(settings, TimeLeft(30, 1), 19, 99) == pytest.approx(0.95 * 30 - LAG)
    main = budget(settings, TimeLeft(600), 19, 0)
    assert main == pytest.approx(max(600 / moves_left(19, 0), 28.4) - LAG)
    assert budget(settings, TimeLeft(1), 19, 60) < 1 + 30  # main time runs over into the first period


def test_a_move_never_takes_more_than_there_is() -> None:
    for kind in ("absolute", "canadian", "byoyomi"):
        for seconds in (0.5, 1, 5, 100):
            for number in (0, 1, 3):
                settings = TimeSettings(kind, 100, 10, 3)  # type: ignore[arg-type]
                reserve = 10 if kind != "absolute" and not number else 0
                assert LEAST <= budget(settings, TimeLeft(seconds, number), 9, 5) <= seconds + reserve


def test_commands() -> None:
    engine = new_engine(9)
    ask = asker(engine)
    assert math.isinf(engine.seconds(1))
    ask("time_settings 300 0 0")
    ask("time_left black 60 0")
    assert engine.seconds(1) < engine.seconds(2)
    ask("play b e5")
    ask("clear_board")
    assert engine.seconds(1) == engine.seconds(2)  # what was left belonged to the game before
    assert ask("kgs-time_settings byoyomi 600 30 5") == ""
    assert engine.settings == TimeSettings("byoyomi", 600, 30, 5)
    ask("kgs-time_settings canadian 600 30.5 5")
    ask("kgs-time_settings absolute 600")
    assert engine.settings == TimeSettings("absolute", 600)
    ask("kata-time_settings none")
    assert engine.settings == TimeSettings()
    assert ask("kata-list_time_settings") == "none absolute canadian byoyomi"
    ask("time_left w -3 0")  # some controllers say so
    assert engine.left[2] == TimeLeft(0.0)


def test_commands_that_cannot_be_read() -> None:
    lines = ["time_settings 1 2", "time_settings 1e99 0 0", "time_left c 1 0", "kgs-time_settings fischer 1 2"]
    lines += ["kgs-time_settings byoyomi 1 2", "kgs-time_settings", "kgs-time_settings byoyomi 600 30 0"]
    engine = new_engine()
    assert all(text.startswith("syntax error") for text in refusals(engine, lines))
    assert engine.settings == TimeSettings()
