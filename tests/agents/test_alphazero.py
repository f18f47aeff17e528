"""AlphaZero: its losses by hand, exact resume, symmetries, and perfect play where that can be checked."""

import sys
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.alphazero import AlphaZero, AlphaZeroConfig, score_of_first
from palestra.agents.search_games import GameOfSearch
from palestra.envs.game import OVER, PLAYER, Game, State, legal_mask
from palestra.envs.game_env import GameEnv
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from palestra.envs.spec import EnvSpec

TIC_TAC_TOE = EnvSpec("palestra/Game-v0", kwargs={"game": "tic-tac-toe"})
SMALL = AlphaZeroConfig(simulations=8, width=8, blocks=1, batch_games=8, parallel=8, window=300, plan=32, leaves=4)


def agent_of(config: AlphaZeroConfig = SMALL, env: EnvSpec = TIC_TAC_TOE, seed: int = 0) -> AlphaZero:
    made = GameEnv(**env.kwargs)
    return AlphaZero(config, made.observation_space, made.action_space, seed)


@pytest.mark.parametrize(
    "options", [{}, {"rule": "puct", "forced": 2.0, "full_share": 0.5}, {"gate": 0.5}, {"overlap": True}]
)
def test_training_goes_on_exactly_where_it_was_saved(options: dict[str, Any]) -> None:
    config = replace(SMALL, **options, gate_games=4)
    whole, parts, again = agent_of(config), agent_of(config), agent_of(config, seed=5)
    rows = list(whole.train(TIC_TAC_TOE, 32))
    assert [step for step, _ in rows] == [8, 16, 24, 32]
    list(parts.train(TIC_TAC_TOE, 16))
    again.restore(parts.state())
    again._seed = parts._seed
    list(again.train(TIC_TAC_TOE, 32))
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, again.network.state_dict()[name]), name
    assert ("eval/gate_score" in rows[0][1]) == ("gate" in options)


def test_two_workers_play_games_too() -> None:
    agent = agent_of(replace(SMALL, workers=2))
    rows = list(agent.train(TIC_TAC_TOE, 16))
    assert len(rows[0][1]["rollout/ep_len_mean"]) == 8  # type: ignore[arg-type]
    assert rows[-1][1]["train/window"] > 16 * 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_workers_of_a_cluster_share_one_network_and_another_process_learns() -> None:
    agent = agent_of(replace(SMALL, workers=2, cluster="local", server=True, learner=True))
    first = {name: value.clone() for name, value in agent.network.state_dict().items()}
    rows, states = [], []
    for step, metrics in agent.train(TIC_TAC_TOE, 16):
        rows.append((step, metrics))
        states.append(agent.state())
    assert [step for step, _ in rows] == [8, 16]
    assert all(np.isfinite(metrics["train/policy_loss"]) for _, metrics in rows)
    for name, value in agent.network.state_dict().items():  # what was learnt there is known here
        assert np.array_equal(states[-1]["network"][name], value.numpy())
    assert any(not torch.equal(value, first[name]) for name, value in agent.network.state_dict().items())
    here = agent_of()
    here.restore(agent.state())  # and it goes on without a cluster
    assert [step for step, _ in here.train(TIC_TAC_TOE, 24)] == [24]


def test_the_first_of_two_networks_gets_its_points_in_either_seat() -> None:
    none: Any = None
    games = [GameOfSearch(none, result, 5, first) for result, first in ((1.0, 0), (1.0, 1), (-1.0, 1), (0.0, 0))]
    assert score_of_first(games) == (1 + 0 + 1 + 0.5) / 4


def test_a_policy_acts_within_the_mask() -> None:
    agent = agent_of()
    obs, first = np.zeros((200, 3, 3, 3), np.float32), np.ones(200, np.bool_)
    mask = np.zeros((200, 9), np.bool_)
    mask[:, [2, 4]] = True
    assert set(agent.act(obs, first, mask).tolist()) == {2, 4}
    assert len(set(agent.act(obs, first, mask, explore=False).tolist())) == 1


def test_as_a_player_it_searches_as_in_its_games_or_as_it_is_told() -> None:
    agent, game = agent_of(), make_game("tic-tac-toe")
    for options, simulations, rule in (({}, 8, "gumbel"), ({"simulations": 50, "rule": "puct"}, 50, "puct")):
        player = agent.player(game, 0, **options)
        player.start(game, game.start)
        player.choose(game.start)
        assert (player.search.visits, player.config.rule) == (simulations, rule)
    with pytest.raises(ValueError, match="simulations is 0"):
        agent.player(game, 0, simulations=0)


@pytest.mark.slow
def test_tic_tac_toe_is_played_perfectly() -> None:
    """After 1,500 games the agent, with 100 simulations a move, loses to no play at all: every answer is tried."""
    config = AlphaZeroConfig(width=16, blocks=2, simulations=50, random_plies=6, plan=1500, window=20_000, reuse=16.0)
    agent = agent_of(config)
    list(agent.train(TIC_TAC_TOE, 1500))
    agent.config = replace(config, simulations=100)
    game = make_game("tic-tac-toe")
    results = [result for seat in (0, 1) for result in results_of(game, agent, seat)]
    assert len(results) > 300
    assert min(results) >= 0, f"lost {results.count(-1.0)} of {len(results)} lines"


def results_of(game: Game, agent: AlphaZero, seat: int) -> list[float]:
    """Plays against every sequence of answers and returns the results."""
    player, no_rng = agent.player(game, 0), seed_state(0)

    def explore(state: State, reward: float) -> list[float]:
        if state[OVER]:
            return [reward if seat == 0 else -reward]
        if state[PLAYER] == seat:
            player.start(game, state)
            moves = [player.choose(state)]
        else:
            moves = np.flatnonzero(legal_mask(game, state)).tolist()
        results = []
        for action in moves:
            after = state.copy()
            results += explore(after, float(game.play(after, action, no_rng, game.data)))
        return results

    return explore(game.start.copy(), 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"simulations": 0}, "simulations is 0"),
        ({"rule": "uct"}, "rule is 'uct', but gumbel or puct"),
        ({"full_share": 0.0}, "full_share 0.0 must lie in"),
        ({"forced": 2.0}, "forced is 2.0, but rule gumbel shares out"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"owner": -1.0}, "owner is -1.0"),
        ({"foresight": 1.5}, "foresight is 1.5"),
        ({"learner": True}, "learner needs a cluster"),
        ({"server": True}, "server needs a cluster"),
        ({"overlap": True, "gate": 0.5}, "no gate can hold it back"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AlphaZeroConfig(**options)


def test_it_plays_games_by_name_alone() -> None:
    with pytest.raises(ValueError, match="alphazero plays games on boards, as with --env connect-four"):
        AlphaZero(SMALL, gym.spaces.Discrete(3), gym.spaces.Discrete(2), 0)
    with pytest.raises(ValueError, match="as with --env connect-four, but was given palestra/Go-v0"):
        next(iter(agent_of().train(EnvSpec("palestra/Go-v0"), 8)))
    with pytest.raises(ValueError, match="but was given palestra/Go-v0"):
        AlphaZero.defaults(EnvSpec("palestra/Go-v0"), 8)


def test_a_cluster_that_cannot_be_is_said_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ValueError, match="cluster 'auto' needs Ray"):
        agent_of(replace(SMALL, cluster="auto")).prepare()
