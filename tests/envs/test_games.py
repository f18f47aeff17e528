"""The list of games, and what is wanted of every game on it."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config, njit, types

from palestra.envs.game import HEADER, OVER, PLAYER, PLY, SIGNATURES, USED, Game, functions, legal_mask, move
from palestra.envs.games import GAMES, make_game
from palestra.envs.mdp_game import mdp_game
from palestra.envs.rng import seed_state
from tests.game_trees import assert_playout_is_a_game, score
from tests.mdps import gambler

SMALL = ("tic-tac-toe", "connect-four", "othello", "gomoku", "gomoku-9x9")
PAGE = Path(__file__).parents[2] / "docs" / "games.md"


def games() -> dict[str, Game]:
    return {name: make_game(name) for name in SMALL} | {"mdp": mdp_game(gambler(0.4), start=30)}


@pytest.fixture(scope="module", params=list(games()))
def game(request: pytest.FixtureRequest) -> Game:
    return games()[request.param]


@pytest.mark.kernel
def test_random_games_keep_the_contract(game: Game) -> None:
    random, rng = np.random.default_rng(0), seed_state(0)
    start = game.start.copy()
    for _ in range(1 if config.DISABLE_JIT else 5):
        state, mask = game.start.copy(), np.ones(game.num_actions, np.bool_)
        while not state[OVER]:
            count, before, player = game.legal(state, mask, game.data), state.copy(), state[PLAYER]
            assert count == mask.sum() > 0
            assert (state == before).all()
            assert 0 <= player < game.num_players
            assert HEADER < state[USED] <= len(state)
            assert game.describe(state)
            reward = move(game, state, int(random.choice(np.flatnonzero(mask))), rng)
            assert state[PLY] == before[PLY] + 1
            assert game.num_players == 1 or bool(state[OVER]) or reward == 0.0
        assert state[PLY] <= game.max_plies
        assert game.legal(state, mask, game.data) == mask.sum() == 0
        assert game.describe(state)
    assert (game.start == start).all()


@pytest.mark.kernel
def test_the_same_seed_gives_the_same_playout(game: Game) -> None:
    if game.has_playout:
        traces = []
        for seed in (3, 3, 4):
            trace, state = np.zeros(1 + game.max_plies, np.int64), game.start.copy()
            game.playout(state, trace, seed_state(seed), game.data)
            traces.append(trace[: 1 + trace[0]].tolist())
        assert traces[0] == traces[1] != traces[2]
        assert_playout_is_a_game(game, game.start, 5)


def test_actions_are_read_as_they_are_written(game: Game) -> None:
    names = [game.action_name(action) for action in range(game.num_actions)]
    assert len(set(names)) == game.num_actions
    assert [game.parse_action(name) for name in names] == list(range(game.num_actions))
    assert [game.parse_action(name.upper()) for name in names] == list(range(game.num_actions))
    for text in ("", "nonsense", "z99"):
        with pytest.raises(ValueError, match=re.escape(repr(text))):
            game.parse_action(text)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="about compiled functions")
def test_functions_have_the_types_of_the_contract(game: Game) -> None:
    kinds = types.FunctionType(SIGNATURES["playout"]), types.FunctionType(SIGNATURES["observe"])
    state, obs, vector = types.int64[::1], types.float32[::1], types.float64[::1]

    @njit(types.float64(*kinds, state, types.int64[::1], obs, types.uint64[::1], vector))
    def use(playout: Any, observe: Any, state: Any, trace: Any, obs: Any, rng: Any, data: Any) -> Any:
        return observe(state, obs, data) + playout(state, trace, rng, data)

    obs, trace = np.zeros(int(np.prod(game.obs_shape)), np.float32), np.zeros(1 + game.max_plies, np.int64)
    assert use(game.playout, game.observe, game.start.copy(), trace, obs, seed_state(0), game.data) in (-1.0, 0.0, 1.0)
    assert len(functions(game)) == 5


def test_the_list_of_games() -> None:
    assert list(GAMES) == ["tic-tac-toe", "connect-four", "othello", "gomoku", "go"]
    for name in SMALL:
        assert make_game(make_game(name).name).name.startswith(name)


def test_sizes_and_options() -> None:
    assert make_game("gomoku-9x9", exact=True).data.tolist() == [9, 1]
    assert make_game("gomoku", size=7).name == "gomoku-7x7"
    assert make_game("go-9x9", rules="tromp-taylor", komi=6.5).name == "go-9x9"
    assert make_game("go").num_actions == 362
    assert not legal_mask(make_game("go-2x2"), make_game("go-2x2").start)[5:].any()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("othelo", {}, "there is no game 'othelo'; did you mean othello?"),
        ("conect-4-9x9", {}, "there is no game 'conect-4-9x9'; did you mean connect-four?"),
        ("zzz", {}, "there is no game 'zzz'; there are tic-tac-toe, connect-four, othello, gomoku, go"),
        ("", {}, "there is no game ''"),
        ("go-9x8", {}, "the board of 'go-9x8' is not square: a name like go-9x9 is wanted"),
        ("go-1x1", {}, "1"),
        ("go-26x26", {}, "26"),
        ("gomoku-4x4", {}, "the size is 4, but a board of gomoku has a side of 5 to 25 points"),
        ("gomoku-9x9", {"size": 9}, "'gomoku-9x9' and size=9 both give a size: one of them is wanted"),
        ("othello-8x8", {}, "othello has no option 'size'; it has playouts"),
        ("gomoku", {"overlines": True}, "gomoku has no option 'overlines'; it has size, exact"),
        ("go-9x9", {"rules": "chess"}, "chess"),
        ("go-9x9", {"playouts": "patern"}, "playouts are pattern or uniform or rollout, but 'patern' is given"),
        ("othello", {"playouts": "pattern"}, "playouts are sound or uniform, but 'pattern' is given"),
        ("connect-four", {"playouts": "sound"}, "playouts are decisive or uniform, but 'sound' is given"),
        ("tic-tac-toe", {"playouts": "sound"}, "tic-tac-toe has no option 'playouts'; it has none"),
    ],
)
def test_what_there_is_not(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        make_game(name, **options)
    assert "\n" not in str(caught.value)


def test_the_examples_of_the_page_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Bouton 1901: heaps of 3, 4 and 5 are won, as 3 xor 4 xor 5 is not 0, by taking two of the heap of 3.
    library, file, play, board = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (tmp_path / "nim.py").write_text(file)
    spec = importlib.util.spec_from_file_location("nim", tmp_path / "nim.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for block in (library, play, board):
        exec(compile(block.replace("from nim import nim\n", ""), str(PAGE), "exec"), {"nim": module.nim})
    shown = capsys.readouterr().out
    assert all(drawing in shown for drawing in re.findall(r"```text\n(.*?)```", PAGE.read_text(), flags=re.DOTALL))
    game = module.nim()
    assert score(game, game.start) > 0
    state = game.start.copy()
    move(game, state, game.parse_action("2 from A"), seed_state(0))
    assert score(game, state) < 0
