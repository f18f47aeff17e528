"""Moves, scores and the end of games; positions are drawn so that their values can be counted by hand."""

import pytest

from palestra.agents.mcts import Config
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.player import RESIGN
from palestra.cli.gtp.brain import Brain, Choice
from palestra.cli.gtp.session import Session
from tests.cli.gtp.doubles import asker, new_engine, refusals

BLACK = ["A4", *(f"{column}{row}" for column in "BC" for row in range(1, 8)), "D1", "D2", "D3", "D4"]
WHITE = ["G4", *(f"{column}{row}" for column in "EF" for row in range(1, 8)), "D5", "D6", "D7"]
# 7x7: two eyes of three points each; 25 points to Black, 24 to White, of which 6 and 6 are territory
SETTLED = " ".join([f"b {vertex}" for vertex in BLACK] + [f"w {vertex}" for vertex in WHITE])
INTRUDER = SETTLED + " w A6"


def board(stones: str, rules: str = "chinese", komi: float = 0.5) -> Session:
    engine = new_engine(7, rules=rules)
    ask = asker(engine)
    ask(f"set_position {stones}")
    ask(f"komi {komi}")
    return engine


def test_the_score_by_area() -> None:
    ask = asker(board(SETTLED))
    assert ask("final_score") == "B+0.5"
    ask("komi 1")
    assert ask("final_score") == "0"
    ask("komi 7.5")
    assert ask("final_score") == "W+6.5"


@pytest.mark.parametrize(("rules", "score"), [("chinese", "B+0.5"), ("aga", "B+0.5"), ("cgos", "W+3.5")])
def test_dead_stones_are_taken_off_except_where_the_rules_count_all(rules: str, score: str) -> None:
    assert asker(board(INTRUDER, rules))("final_score") == score  # as it stands, A5 to A7 are White's or nobody's


def test_the_score_by_territory_counts_prisoners() -> None:
    ask = asker(board(INTRUDER, "japanese"))
    assert ask("final_score") == "B+0.5"  # 6 points and a dead stone to 6, less komi
    for move in ("b a5", "w pass", "b a7"):
        ask(f"play {move}")
    assert ask("captures black") == "1"
    assert ask("final_score") == "W+1.5"  # two points were filled to take it


def test_status_lists() -> None:
    ask = asker(board(INTRUDER + " b G2"))
    assert sorted(ask("final_status_list dead").split("\n")) == ["A6", "G2"]
    alive = [sorted(line.split()) for line in ask("final_status_list alive").split("\n")]
    assert sorted(alive) == sorted([sorted(BLACK), sorted(WHITE)])
    assert ask("final_status_list seki") == ""
    assert sorted(ask("final_status_list black_territory").split()) == ["A1", "A2", "A3", "A5", "A6", "A7"]
    assert "G2" in ask("final_status_list white_territory").split()
    assert refusals(new_engine(5), ["final_status_list", "final_status_list nobody"]) == [
        "syntax error: arguments are alive|dead|seki|black_territory|white_territory, but 0 came",
        "syntax error: the status is 'nobody', but alive, dead or seki is wanted",
    ]


def test_a_won_game_is_ended_by_passing() -> None:
    engine = board(INTRUDER)
    ask = asker(engine)
    ask("play w pass")
    assert ask("genmove b") == "pass"
    ask("undo")
    ask("komi 20")
    assert ask("genmove b") != "pass"


@pytest.mark.parametrize("agent", ["passes", "mcts"])
def test_cleaning_up_takes_dead_stones_off_before_it_passes(agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = board(INTRUDER)
    if agent == "passes":
        monkeypatch.setattr(engine.brain, "choose", lambda state, seconds=0.0, avoid=(): Choice(49))
    else:
        engine.brain = Brain("mcts", lambda game: MCTSPlayer(Config(simulations=50), game, 0), True, -1.0)
        engine.changed()
    ask = asker(engine)
    ask("play w pass")
    moves = []
    while not moves or moves[-1] != "pass":
        moves.append(ask("kgs-genmove_cleanup b"))
        ask("play w pass")
    assert sorted(moves) == ["A5", "A7", "pass"]
    assert ask("captures black") == "1"


def test_moves_of_a_player_without_search() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    first = ask("genmove b")
    assert ask("last_move") == f"black {first}"
    assert ask("genmove w") not in ("", first)
    moves = len(ask("move_history").split("\n"))
    assert ask("reg_genmove b") in [*ask("all_legal b").split(), "pass"]
    assert len(ask("move_history").split("\n")) == moves
    assert refusals(engine, ["genmove", "genmove x", "genmove b w"])[1] == (
        "syntax error: the colour is 'x', but black or white is wanted"
    )


def test_a_player_that_breaks_the_rules_or_resigns(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = board(SETTLED)
    monkeypatch.setattr(engine.brain, "choose", lambda *_: Choice(2))
    assert refusals(engine, ["genmove w"]) == ["random chose C7, which is illegal: a stone is there"]
    monkeypatch.setattr(engine.brain, "choose", lambda *_: Choice(RESIGN))
    assert asker(engine)("genmove w") == "resign"
    assert asker(engine)("move_history") == ""


def test_the_same_seed_plays_the_same_game() -> None:
    games = []
    for _ in range(2):
        ask = asker(new_engine(7))
        games.append([ask(f"genmove {'bw'[i % 2]}") for i in range(30)])
    assert games[0] == games[1]
