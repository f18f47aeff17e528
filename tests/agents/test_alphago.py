"""The judge's logits and values on boards where they can be told by hand, and the player around it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from palestra.agents.alphago import LATE, NEVER, AlphaGoConfig, AlphaGoPlayer, Judge, load_weights
from palestra.agents.alphago_rollout import WEIGHTS
from palestra.agents.match import play_game
from palestra.agents.player import RandomPlayer, RandomPlayerConfig, make_player
from palestra.envs.game import PLAYER, State
from palestra.envs.games import make_game
from palestra.envs.go.game import go_game, parse_vertex
from palestra.envs.go.position import from_rows
from palestra.envs.go.rollout import LINE, NUM_FEATURES, NUM_WEIGHTS, candidates, features, softmax
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, BLACK
from palestra.networks import create
from palestra.networks.pretrained import save_pretrained

RULES = Rules(5, 0.5, "simple")
GAME = go_game(RULES)
SETTLED = ["X X . X .", "X X X X X", ". X X O O", "X X O O .", "X X O . O"]  # 18 points to Black, 7 to White


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, str]:
    """Writes runs with tiny networks and with weights of rollouts."""
    torch.manual_seed(0)
    for name, classes, head in (("sl", 26, "moves"), ("value", 1, "judgement")):
        net = create("board", in_channels=17, num_classes=classes, image_size=(5, 5), width=4, blocks=1, head=head)
        save_pretrained(net, tmp_path / name / "network", agent=f"alphago-{name}", features="alphago-zero")
    (tmp_path / "rollout" / "network").mkdir(parents=True)
    save_file(
        {"weights": np.random.default_rng(0).normal(size=NUM_WEIGHTS)}, tmp_path / "rollout" / "network" / WEIGHTS
    )
    return {"policy": str(tmp_path / "sl"), "value": str(tmp_path / "value"), "rollout": str(tmp_path / "rollout")}


class Constant(torch.nn.Module):
    """Values every board alike."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((len(x), 1), 0.3)


class OwnStones(torch.nn.Module):
    """Gives each point its own stones as a logit, so that symmetries change nothing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, 0].flatten(1) * 3, torch.zeros(len(x), 1)], dim=1)


class Middle(torch.nn.Module):
    """Gives the nine points in the middle of a board of 5x5 a logit of a half."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(x), 5, 5)
        logits[:, 1:4, 1:4] = 0.5
        return torch.cat([logits.flatten(1), torch.zeros(len(x), 1)], dim=1)


def state_of(rows: list[str], to_move: int = 1) -> State:
    return from_rows(rows, RULES, to_move).state


def test_logits_of_the_policy_network_are_in_place_whatever_the_symmetry(parts: dict[str, str]) -> None:
    judge = Judge(AlphaGoConfig(policy=parts["policy"], softness=1.0), 5, 0)
    assert judge.policy is not None
    judge.policy.network = OwnStones()
    rows = [". . . . .", ". X O . .", ". . . . .", ". . . X .", ". . . . ."]
    for to_move, own in ((1, ("B4", "D2")), (2, ("C4",))):
        for seed in range(20):
            judge.seed(seed)
            logits = judge(None, state_of(rows, to_move)[None])[0][0]
            expected = np.zeros(25)
            expected[[parse_vertex(5, v) for v in own]] = 3
            np.testing.assert_array_equal(logits[:25], expected)
            assert logits[25] == 3 - LATE


def test_a_network_sees_the_turned_board(parts: dict[str, str]) -> None:
    """Drawn symmetries give the logits of one network on eight boards."""
    judge = Judge(AlphaGoConfig(policy=parts["policy"]), 5, 0)
    plain = Judge(AlphaGoConfig(policy=parts["policy"], symmetry=False), 5, 0)
    state = state_of([". . . . .", ". X O . .", ". . . . .", ". . . X .", ". . . . ."])[None]
    drawn = set()
    for seed in range(60):
        judge.seed(seed)
        drawn.add(tuple(judge(None, state)[0][0].round(4)))
    assert len(drawn) == 8
    assert {tuple(plain(None, state)[0][0].round(4)) for _ in range(5)} <= drawn


def test_without_a_network_moves_are_the_rollout_policys(parts: dict[str, str]) -> None:
    judge = Judge(AlphaGoConfig(rollout=parts["rollout"], softness=1.0), 5, 0)
    weights = load_weights(parts["rollout"])
    state = state_of([". . . . .", ". X O . .", ". . . . .", ". . . X .", ". . . . ."], 2)
    points, found, chance = np.empty(25, np.int64), np.zeros((25, NUM_FEATURES), np.int64), np.empty(25)
    count = candidates(state, 2, points)
    for k in range(count):
        features(state, points[k], 2, found[k])
    softmax(found, count, weights, chance)
    logits = judge(None, state[None])[0][0][state[points[:count] + ACTION]]
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), chance[:count], rtol=1e-5)


def test_own_eyes_are_struck_and_the_pass_comes_last(parts: dict[str, str]) -> None:
    judge = Judge(AlphaGoConfig(value=parts["value"]), 5, 0)  # without a policy all moves are alike
    logits = judge(None, state_of(SETTLED)[None])[0][0]
    assert {a for a in range(25) if logits[a] == NEVER} == {parse_vertex(5, v) for v in ("C5", "E5", "A3")}
    assert logits[25] == -LATE
    white = judge(None, state_of(SETTLED, 2)[None])[0][0]
    assert {a for a in range(25) if white[a] == NEVER} == {parse_vertex(5, v) for v in ("E2", "D1")}


@pytest.mark.parametrize(("mix", "net"), [(0.5, True), (0.0, True), (1.0, True), (0.25, True), (0.5, False)])
def test_values_are_mixed(parts: dict[str, str], mix: float, net: bool) -> None:
    """Black has won the settled board, so that every rollout says 1 to Black and -1 to White."""
    chosen = {name: parts[name] for name in (["rollout", "value"] if net else ["rollout"])}
    judge = Judge(AlphaGoConfig(**chosen, mix=mix), 5, 0)
    if judge.value is not None:
        judge.value.network = Constant()
    states = np.stack([state_of(SETTLED, 1), state_of(SETTLED, 2)])
    share = mix if net else 1.0
    expected = [(1 - share) * np.tanh(0.3) + share * z for z in (1, -1)]
    np.testing.assert_allclose(judge(None, states)[1], expected, rtol=1e-6)
    assert states[1, PLAYER] + BLACK == 2


@pytest.mark.parametrize(
    "names", ["policy", "value", "rollout", "policy rollout", "value rollout", "policy value", "policy value rollout"]
)
def test_every_choice_of_parts_plays_and_a_seed_repeats_it(parts: dict[str, str], names: str) -> None:
    options = {name: parts[name] for name in names.split()}
    player = AlphaGoPlayer(AlphaGoConfig(**options, simulations=12), GAME, 0)
    assert hasattr(player, "search") == (names != "policy")
    games = [play_game(GAME, (player, RandomPlayer(RandomPlayerConfig(), GAME, 1)), seeds=(7, 8)) for _ in range(2)]
    assert games[0].moves == games[1].moves
    player.close()


def test_a_policy_alone_draws_its_moves_where_there_is_a_temperature(parts: dict[str, str]) -> None:
    """First moves of 600 games of a policy whose moves in the middle are e times as likely as at the edge."""
    player = AlphaGoPlayer(AlphaGoConfig(policy=parts["policy"], softness=1.0, temperature=0.5), GAME, 0)
    assert player.judge.policy is not None
    player.judge.policy.network = Middle()
    moves = np.array([player.choose(GAME.start) for _ in range(600)])
    middle = np.isin(moves, [6, 7, 8, 11, 12, 13, 16, 17, 18]).mean()
    wanted = 9 * np.e / (9 * np.e + 16)
    assert middle == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 600))


def test_rollouts_alone_beat_random_play(parts: dict[str, str]) -> None:
    """Ten games, all won in every seed that was tried; half of them would be chance."""
    player = AlphaGoPlayer(AlphaGoConfig(rollout=parts["rollout"], simulations=60), GAME, 0)
    wins = 0
    for i in range(10):
        game = play_game(GAME, (player, RandomPlayer(RandomPlayerConfig(), GAME, i)), seeds=(i, i))
        wins += game.reward > 0
    assert wins >= 8


def test_it_is_a_player_by_name(parts: dict[str, str]) -> None:
    player: Any = make_player(f"alphago:rollout={parts['rollout']},simulations=5", GAME, 0, simulations=9, threads=2)
    assert player.config.simulations == 5
    weights = load_weights(parts["rollout"])
    assert weights[LINE] == np.random.default_rng(0).normal(size=NUM_WEIGHTS)[LINE]


def test_what_cannot_be_used(parts: dict[str, str], tmp_path: Path) -> None:
    for options, message in (
        ({}, "alphago has no part: policy=RUN"),
        (
            {"policy": "none"},
            "none is no saved network: there is no such folder; `palestra train alphago-sl --games PATH`",
        ),
        ({"policy": parts["value"]}, "has a network of alphago-value, but one of alphago-sl or"),
        ({"rollout": "none"}, "none holds no rollout policy; `palestra train alphago-rollout --games PATH` makes one"),
        ({"policy": parts["policy"], "temperature": -1.0}, "temperature is -1.0"),
        ({"value": parts["value"], "mix": 2.0}, "mix 2.0 must lie in"),
        ({"value": parts["value"], "softness": 0.0}, "softness 0.0 be above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            AlphaGoPlayer(AlphaGoConfig(**options), GAME, 0)
    with pytest.raises(ValueError, match="was trained on 5x5, but 9x9 is played"):
        AlphaGoPlayer(AlphaGoConfig(policy=parts["policy"]), make_game("go-9x9"), 0)
    with pytest.raises(ValueError, match="alphago plays Go, but othello is asked for"):
        AlphaGoPlayer(AlphaGoConfig(policy=parts["policy"]), make_game("othello"), 0)
    file = tmp_path / "rollout" / "network" / WEIGHTS
    file.write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="is damaged"):
        load_weights(parts["rollout"])
    save_file({"weights": np.zeros(3)}, file)
    with pytest.raises(ValueError, match="has 3 weights, but this version has"):
        load_weights(parts["rollout"])
