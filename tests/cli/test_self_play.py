"""Games that a policy network plays against itself on the command line, and what learns from them."""

from pathlib import Path

import pytest

from palestra.envs.go.records import record_of, replay
from palestra.envs.go.sgf_files import read_games
from palestra.networks import create
from palestra.networks.pretrained import save_pretrained
from tests.conftest import CommandLine


@pytest.fixture
def policy(palestra: CommandLine) -> str:
    """Returns the folder of a policy network that has learnt nothing."""
    network = create("board", in_channels=17, num_classes=26, image_size=(5, 5), width=4, blocks=1)
    save_pretrained(network, "policy/network", agent="alphago-sl", features="alphago-zero")
    return "policy"


def test_games_are_written_counted_and_learnt_from(policy: str, palestra: CommandLine) -> None:
    words = ("self-play", policy, "--out", "new/games.sgf", "--batch", "4", "--komi", "0.5")
    assert palestra(*words, "--games", "6")[:2] == (0, "new/games.sgf\n")
    begun = Path("new/games.sgf").read_bytes()
    records = [record_of(root) for _, root in read_games("new/games.sgf")]
    assert len({record.moves for record in records}) == 6
    for record in records:
        lead = replay(record).score()
        assert record.result == (f"B+{lead:g}" if lead > 0 else f"W+{-lead:g}")
        assert (record.size, record.komi, record.rules, record.black_player) == (5, 0.5, "tromp-taylor", "policy")
    Path("new/games.sgf").write_bytes(begun[:-30])  # killed while it wrote
    assert palestra(*words, "--games", "9")[0] == 0
    assert Path("new/games.sgf").read_bytes().startswith(begun[:-30])
    assert sum(1 for _ in read_games("new/games.sgf", lambda sentence: None)) == 9
    small = ("--env-kwargs", "size=5", "--agent.width", "4", "--agent.blocks", "1", "--steps", "4", "--name", "v")
    assert palestra("train", "alphago-value", "--games", "new/games.sgf", *small)[:2] == (0, "runs/v\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "whose games is missing: palestra self-play RUN"),
        (("nobody",), "alphago-sl --games PATH` makes one"),
        (("policy", "--out", "games.txt"), "--out games.txt must end in .sgf"),
        (("policy", "--games", "0"), "--games is 0, but at least 1"),
        (("policy", "--rules", "mine"), "mine"),
    ],
)
def test_what_users_get_wrong_is_one_sentence(
    policy: str, palestra: CommandLine, words: tuple[str, ...], message: str
) -> None:
    status, out, err = palestra("self-play", *words)
    assert (status, out) == (2, "")
    assert message in err
    assert not list(Path().glob("*.sgf"))
