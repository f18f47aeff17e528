from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from palestra.envs.spec import EnvSpec, FoldedDiscrete


def test_unknown_ids_and_counts_are_said() -> None:
    with pytest.raises(ValueError, match="there is no environment 'CartPol-v1'; did you mean CartPole-v1"):
        EnvSpec("CartPol-v1")
    with pytest.raises(ValueError, match="num_envs is 0"):
        EnvSpec("CartPole-v1", 0)
    with pytest.raises(ValueError, match="does not take the options"):
        EnvSpec("CartPole-v1", kwargs={"nonsense": 1}).make()
    with pytest.raises(ValueError, match="does not take the options"):
        EnvSpec("palestra/Cliff-v0", kwargs={"nonsense": 1}).make_vec()


def test_the_name_of_a_game_is_an_environment() -> None:
    spec = EnvSpec("gomoku-7x7")
    assert (spec.id, spec.kwargs) == ("palestra/Game-v0", {"game": "gomoku-7x7"})
    assert spec.make().unwrapped.game.name == "gomoku-7x7"  # type: ignore[attr-defined]
    assert EnvSpec("go-5x5", kwargs={"komi": 0.5}).kwargs == {"game": "go-5x5", "komi": 0.5}
    with pytest.raises(ValueError, match="there is no environment 'conect-four'; did you mean connect-four"):
        EnvSpec("conect-four")
    with pytest.raises(ValueError, match="the board of 'go-5x6' is not square"):
        EnvSpec("go-5x6").make()


@pytest.mark.parametrize("id", ["CartPole-v1", "Taxi-v4", "palestra/Classic4x4-v0", "ALE/Pong-v5", "Blackjack-v1"])
def test_batches_reset_in_the_same_step_and_are_seeded(id: str) -> None:
    spec = EnvSpec(id, 3, seed=7)
    first, second = spec.make_vec(), spec.make_vec()
    assert first.num_envs == 3
    assert first.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    a, b = first.reset(seed=spec.seed_at(0))[0], second.reset(seed=spec.seed_at(0))[0]
    assert np.array_equal(a, b)
    assert spec.seed_at(0) != spec.seed_at(1)
    first.close()
    second.close()


def test_models_are_known_where_they_are_exposed() -> None:
    assert EnvSpec("FrozenLake-v1").mdp(0.9).num_states == 16
    assert EnvSpec("palestra/Classic4x4-v0").mdp(0.9).discount == 0.9
    assert EnvSpec("CartPole-v1").mdp(0.9) is None
    assert EnvSpec("ALE/Pong-v5").mdp(0.9) is None
    assert EnvSpec("Taxi-v4", kwargs={"fickle_passenger": True}).mdp(0.9) is None


def test_time_limits_and_stacks() -> None:
    assert EnvSpec("FrozenLake-v1").max_episode_steps == 100
    assert EnvSpec("FrozenLake-v1", kwargs={"max_episode_steps": 7}).max_episode_steps == 7
    assert EnvSpec("CliffWalking-v1").max_episode_steps == 0
    assert EnvSpec("ALE/Pong-v5").frame_stack == 4
    assert EnvSpec("CartPole-v1").frame_stack == 1
    assert EnvSpec("CartPole-v1").reward_clip == np.inf


def test_tuples_are_folded_in_row_major_order() -> None:
    env = FoldedDiscrete(gym.make("Blackjack-v1"))  # Tuple(Discrete(32), Discrete(11), Discrete(2))
    assert env.observation_space == gym.spaces.Discrete(32 * 11 * 2)
    assert env.observation((1, 2, 1)) == (1 * 11 + 2) * 2 + 1
    assert isinstance(EnvSpec("Blackjack-v1").make().observation_space, gym.spaces.Discrete)


def test_a_module_before_the_id_is_imported_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import gymnasium as gym\ngym.register('Mine-v0', entry_point='gymnasium.envs.toy_text:FrozenLakeEnv')\n"
    (tmp_path / "module_of_mine.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    spec = EnvSpec("module_of_mine:Mine-v0", 2)
    assert spec.mdp(0.9).num_states == 16
    assert spec.max_episode_steps == 0
    assert spec.make_vec().num_envs == 2
