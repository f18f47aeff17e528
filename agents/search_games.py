"""Games by search whose leaves share a network's batches: self-play to learn from, and matches between two networks.

Silver et al., "A general reinforcement learning algorithm that masters chess, shogi and Go through self-play", Science
362 (2018), for what is kept of a position: what the search made of the policy, and the result. Playout-cap
randomisation is that of Wu, "Accelerating self-play learning in Go" (2019), section 3.1: a share of the moves is
searched in full, with noise, and learnt from; the others are searched quickly and only made.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from palestra.agents.leaves import Evaluator, Steps, elsewhere
from palestra.agents.mcts import Config, Search
from palestra.agents.root import chosen, expected_result, learnt_policy
from palestra.envs.game import OVER, PLAYER, Game, State, legal_mask
from palestra.envs.go.scoring import owners, score_2
from palestra.envs.go.state import BLACK, SIZE, WHITE
from palestra.envs.rng import seed_state


class SearchOptions(Protocol):
    """What an agent's options say of the search."""

    @property
    def rule(self) -> Any: ...
    @property
    def simulations(self) -> int: ...
    @property
    def full_share(self) -> float: ...
    @property
    def quick_simulations(self) -> int: ...
    @property
    def forced(self) -> float: ...
    @property
    def noise(self) -> float: ...
    @property
    def opening_plies(self) -> int: ...
    @property
    def random_plies(self) -> int: ...
    @property
    def leaves(self) -> int: ...
    @property
    def foresight(self) -> float: ...


class Samples(NamedTuple):
    """M positions to learn from, as the players to move see them."""

    obs: NDArray[np.uint8]  # [M, *obs_shape], planes of zeros and ones
    policy: NDArray[np.float32]  # [M, A], what the search made of it
    value: NDArray[np.float32]  # [M], 1 won, -1 lost, 0 neither; with foresight the lambda-return
    owner: NDArray[np.int8]  # [M, P], whose each point was in the end: 1 own, -1 the other's; P is 0 but in Go
    lead: NDArray[np.float32]  # [M], by how many points it was won; 0 but in Go


class GameOfSearch(NamedTuple):
    """A game that was played."""

    samples: Samples
    result: float  # player 0's
    plies: int
    first: int  # which network was player 0


def search_config(game: Game, options: SearchOptions, *, exploring: bool) -> Config:
    """Returns the search of an agent's games; without exploring it makes the best moves."""
    most = max(options.simulations, options.quick_simulations) + options.leaves
    return Config(
        rule=options.rule,
        simulations=options.simulations,
        batch=options.leaves,
        forced=options.forced if options.rule == "puct" and exploring else 0.0,
        noise=options.noise if options.rule == "puct" and exploring else 0.0,
        temperature=float(exploring),
        nodes=(2 if options.rule == "puct" else 1) * (most + 1) * (game.num_actions + 1) + 64,
        reuse=options.rule == "puct",
    )


class _Playing:
    """A game being played; `seat` says whose network is asked, of two that may play against each other."""

    def __init__(self, game: Game, options: SearchOptions, seats: tuple[int, int], seed: int, exploring: bool) -> None:
        self.game, self.options, self.seat = game, options, seats[0]
        self._seats, self._exploring = seats, exploring
        config = search_config(game, options, exploring=exploring)
        self._searches = {seat: Search(game, config, seed, elsewhere) for seat in sorted(set(seats))}
        self._rng, self._no_rng = np.random.default_rng([seed, 2]), seed_state(seed)
        self._state: State = game.start.copy()
        self._kept: list[tuple[NDArray[np.uint8], NDArray[np.float32], float, int]] = []
        self._result, self._plies = 0.0, 0

    def moves(self) -> Steps:
        """Plays to the end by turns with whoever evaluates leaves for the player in `seat`."""
        self._open()
        while not self._state[OVER]:
            player = int(self._state[PLAYER])
            self.seat = self._seats[player]
            search = self._searches[self.seat]
            full = self._rng.random() < self.options.full_share
            search.plan.exploring = full and self._exploring
            yield from search.steps(self._state, self.options.simulations if full else self.options.quick_simulations)
            if full and self._exploring:
                self._keep(search, player)
            self._make(self._chosen(search))
        return self._plies

    def played(self) -> GameOfSearch:
        """Returns the game, once it has ended."""
        shape, num_actions = self.game.obs_shape, self.game.num_actions
        owner, lead = _outcome(self.game, self._state)
        sign = np.array([1 if player == 0 else -1 for *_, player in self._kept], np.int8)
        samples = Samples(
            np.array([obs for obs, *_ in self._kept], np.uint8).reshape(-1, *shape),
            np.array([policy for _, policy, *_ in self._kept], np.float32).reshape(-1, num_actions),
            self._returns(),
            sign[:, None] * owner,
            (lead * sign).astype(np.float32),
        )
        return GameOfSearch(samples, self._result, self._plies, self._seats[0])

    def _returns(self) -> NDArray[np.float32]:
        """Returns the lambda-returns `[M]` as the players to move see them; lambda is 1 - foresight.

        From the result back, each search that is learnt from moves them by that share to what it expected.
        """
        value, returns = self._result, np.empty(len(self._kept), np.float32)  # value is player 0's
        for i in range(len(self._kept) - 1, -1, -1):
            _, _, expected, player = self._kept[i]
            sign = 1 if player == 0 else -1
            value += self.options.foresight * (sign * expected - value)
            returns[i] = sign * value
        return returns

    def _open(self) -> None:
        """Makes some random moves, of which none ends the game."""
        for _ in range(int(self._rng.integers(self.options.random_plies + 1))):
            state = self._state.copy()
            action = int(self._rng.choice(np.flatnonzero(legal_mask(self.game, state))))
            self.game.play(state, action, self._no_rng, self.game.data)
            if state[OVER]:
                return
            self._make(action)

    def _keep(self, search: Search, player: int) -> None:
        obs = np.zeros(int(np.prod(self.game.obs_shape)), np.float32)
        self.game.observe(self._state, obs, self.game.data)
        policy = np.zeros(self.game.num_actions, np.float32)
        actions, chance = learnt_policy(search.tree, search.settings, search.config.forced)
        policy[actions] = chance
        expected = expected_result(search.tree, actions, chance) if self.options.foresight else 0.0
        self._kept.append((obs.astype(np.uint8), policy, expected, player))

    def _chosen(self, search: Search) -> int:
        if self.options.rule == "gumbel":
            return search.best()
        drawn = self._exploring and self._plies < self.options.opening_plies
        return chosen(search.children(), float(drawn), self._rng).action

    def _make(self, action: int) -> None:
        self._result += float(self.game.play(self._state, action, self._no_rng, self.game.data))
        self._plies += 1
        for search in self._searches.values():
            search.advance(action, self._state)


def play_games(
    game: Game,
    options: SearchOptions,
    evaluators: Sequence[Evaluator],
    num_games: int,
    seed: int,
    *,
    parallel: int = 64,
    exploring: bool = True,
) -> list[GameOfSearch]:
    """Plays games, of which up to `parallel` go on at once and share batches of leaves, and returns them in order.

    With two evaluators the first plays the first move in games 0, 2, 4 ... and the second in the others.
    """
    last = len(evaluators) - 1
    waiting = [
        _Playing(game, options, (last, 0) if i % 2 else (0, last), seed_of_game(seed, i), exploring)
        for i in range(num_games)
    ]
    games, active = list(waiting), list[tuple[_Playing, Steps, Any]]()
    waiting.reverse()
    while waiting or active:
        while waiting and len(active) < parallel:
            playing = waiting.pop()
            steps = playing.moves()
            active.append((playing, steps, next(steps)))
        answers = _answers(active, evaluators)
        going_on = []
        for (playing, steps, _), answer in zip(active, answers, strict=True):
            try:
                going_on.append((playing, steps, steps.send(answer)))
            except StopIteration:
                continue
        active = going_on
    return [playing.played() for playing in games]


def seed_of_game(seed: int, index: int) -> int:
    """Returns the seed of a game among many."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> 1)


def _answers(active: list[tuple[_Playing, Steps, Any]], evaluators: Sequence[Evaluator]) -> list[tuple[Any, Any]]:
    """Asks each network once for the leaves of all games in which it is to be asked."""
    answers: list[tuple[Any, Any]] = [(None, None)] * len(active)
    for seat, evaluate in enumerate(evaluators):
        rows = [i for i, (playing, _, _) in enumerate(active) if playing.seat == seat]
        if not rows:
            continue
        obs, states = (np.concatenate([active[i][2][part] for i in rows]) for part in (0, 1))
        logits, values = evaluate(obs, states)
        ends = np.cumsum([len(active[i][2][0]) for i in rows])
        for i, begin, end in zip(rows, [0, *ends[:-1]], ends, strict=True):
            answers[i] = logits[begin:end], values[begin:end]
    return answers


def _outcome(game: Game, state: State) -> tuple[NDArray[np.int8], float]:
    """Returns whose each point is in the end, 1 player 0's and -1 the other's, and player 0's lead; only Go has any."""
    if not game.name.startswith("go-"):
        return np.zeros(0, np.int8), 0.0
    owner = np.empty(int(state[SIZE]) ** 2, np.int64)
    owners(state, owner)
    lead = score_2(state) / 2
    return (owner == BLACK).astype(np.int8) - (owner == WHITE).astype(np.int8), float(lead)
