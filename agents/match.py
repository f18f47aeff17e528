"""Games between two players: one game with its clock and its reasons to end, and the openings that games begin with."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from palestra.agents.player import RESIGN, ForfeitError, Player, RandomPlayer, RandomPlayerConfig
from palestra.envs.game import OVER, PLAYER, Game, State, legal_mask
from palestra.envs.rng import seed_state

OPENING_TRIES = 100  # random openings of a length that may all end the game


@dataclass(frozen=True)
class PlayedGame:
    """A game that has ended; players are numbered as the game numbers them, 0 begins."""

    names: tuple[str, str]
    """Who played."""
    moves: tuple[int, ...]
    """All actions, the opening's among them."""
    opening: int
    """How many of them are the opening's."""
    reward: float
    """Player 0's, above 0 if that one won."""
    end: str
    """Why it ended: finished, cut off, resignation, or forfeit."""
    detail: str
    """What the one who lost by forfeit did."""
    tried: int
    """The move that was not legal and lost the game; -1 if none was."""
    seconds: tuple[float, float]
    """Time each player took to choose."""
    choices: tuple[int, int]
    """How often each player chose."""


def check_match(game: Game) -> None:
    """Checks that two can play a game against each other by telling each other their moves.

    Raises:
        ValueError: it has not two players, or chance has a part in it.
    """
    if game.num_players != 2 or not game.deterministic:
        what = f"has {game.num_players} player" if game.num_players != 2 else "is partly left to chance"
        raise ValueError(f"{game.name} {what}, but a match wants a game of two players without chance")


def play_game(
    game: Game,
    players: tuple[Player, Player],
    opening: Sequence[int] = (),
    *,
    seeds: tuple[int | None, int | None] = (None, None),
    max_plies: int = 0,
) -> PlayedGame:
    """Plays one game; players[i] is the game's player i, and `opening` is made for both.

    `max_plies` cuts a game off before its own cap, 0 does not; both are told the opening as moves, after `start`.

    Raises:
        ValueError: a move of the opening is not legal, or a player fails.
    """
    check_opening(game, opening)
    table = _Table(game, players, max_plies or game.max_plies)
    try:
        for player, seed in zip(players, seeds, strict=True):
            player.start(game, game.start, seed)
        for action in opening:
            table.make(action)
        while not table.ended:
            table.ask()
    except ForfeitError as error:
        table.lost("forfeit", str(error))
    return table.record(len(opening))


class _Table:
    """A game being played."""

    def __init__(self, game: Game, players: tuple[Player, Player], longest: int) -> None:
        self.game, self.players, self.longest = game, players, longest
        self.state: State = game.start.copy()
        self.moves: list[int] = []
        self.seconds, self.choices, self.mover = [0.0, 0.0], [0, 0], 0
        self.reward, self.end, self.detail, self.tried = 0.0, "", "", -1
        self._rng = seed_state(0)

    @property
    def ended(self) -> bool:
        return bool(self.end) or bool(self.state[OVER]) or len(self.moves) >= self.longest

    def ask(self) -> None:
        """Lets the player to move choose, and makes the move."""
        self.mover = int(self.state[PLAYER])
        begin = time.perf_counter()
        try:
            action = self.players[self.mover].choose(self.state)
        finally:
            self.seconds[self.mover] += time.perf_counter() - begin
            self.choices[self.mover] += 1
        if action == RESIGN:
            self.lost("resignation", "")
        elif not 0 <= action < self.game.num_actions or not legal_mask(self.game, self.state)[action]:
            known = 0 <= action < self.game.num_actions
            self.tried = action
            raise ForfeitError(f"{self.game.action_name(action) if known else action} is not a legal move")
        else:
            self.make(action)

    def make(self, action: int) -> None:
        """Makes a move and tells both of it; who refuses it loses, unless it has ended the game."""
        self.reward += float(self.game.play(self.state, action, self._rng, self.game.data))
        self.moves.append(action)
        for number, player in enumerate(self.players):
            self.mover = number
            try:
                player.note(action)
            except ForfeitError:
                if not self.state[OVER]:
                    raise

    def lost(self, end: str, detail: str) -> None:
        """Ends the game with a loss of the player who was last asked."""
        self.end, self.detail, self.reward = end, detail, 1.0 if self.mover else -1.0

    def record(self, opening: int) -> PlayedGame:
        """Returns the game as it was."""
        end = self.end or ("finished" if self.state[OVER] else "cut off")
        return PlayedGame(
            (self.players[0].name, self.players[1].name),
            tuple(self.moves),
            opening,
            self.reward,
            end,
            self.detail,
            self.tried,
            (self.seconds[0], self.seconds[1]),
            (self.choices[0], self.choices[1]),
        )


def check_opening(game: Game, opening: Sequence[int]) -> None:
    """Checks that an opening's moves are legal and leave the game open.

    Raises:
        ValueError: they are not, or do not.
    """
    state, rng = game.start.copy(), seed_state(0)
    for i, action in enumerate(opening):
        if state[OVER] or not legal_mask(game, state)[action]:
            why = "the game is over" if state[OVER] else f"{game.action_name(action)} is not legal"
            raise ValueError(f"move {i + 1} of an opening cannot be made: {why}")
        game.play(state, action, rng, game.data)
    if state[OVER]:
        raise ValueError(f"an opening of {len(opening)} moves ends the game: a shorter one is wanted")


def random_opening(game: Game, plies: int, seed: int) -> tuple[int, ...]:
    """Draws an opening of some plies, as `RandomPlayer` plays, after which the game is not over.

    Raises:
        ValueError: none was found.
    """
    player = RandomPlayer(RandomPlayerConfig(), game, seed)
    rng = seed_state(seed, 1)
    for _ in range(OPENING_TRIES):
        state = game.start.copy()
        moves: list[int] = []
        while len(moves) < plies and not state[OVER]:
            moves.append(player.choose(state))
            game.play(state, moves[-1], rng, game.data)
        if not state[OVER]:
            return tuple(moves)
    raise ValueError(f"no opening of {plies} plies was found that leaves {game.name} open: fewer are wanted")


def seed_of(seed: int, *place: int) -> int:
    """Returns the seed of what has a place in a match, as of player 0 in game 7."""
    return int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])
