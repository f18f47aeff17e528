"""Monte-Carlo tree search of any `Game`, with playouts or a network at the leaves.

Coulom, "Efficient selectivity and backup operators in Monte-Carlo tree search" (2006), for the tree; `tree_policy.py`
names the sources of the rules. Several threads grow a tree each, whose roots are added up (root parallelism: Chaslot et
al., "Parallel Monte-Carlo tree search", 2008, section 4.2), so that a number of simulations gives the same moves each
time. Proven ends spread up as in MCTS-Solver (Winands et al., 2008), without its change of the values.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from palestra.agents.leaves import Evaluator, Growth, Leaves, Steps
from palestra.agents.root import Child, child_with, children_of, chosen, lead_of, variation_of
from palestra.agents.root_plan import RootPlan
from palestra.agents.tree import FULL, NODES, Tree, keep_subtree, new_tree, prove
from palestra.agents.tree_policy import GUMBEL, PUCT, UCT, Settings
from palestra.agents.tree_search import new_walk, simulate
from palestra.agents.world import World, sealed
from palestra.envs.game import USED, Game, State, functions, legal_mask
from palestra.envs.rng import seed_state

RULES = {"uct": UCT, "puct": PUCT, "gumbel": GUMBEL}
CHUNK = 64  # simulations between looks at the clock, at least; with a network a batch
LOOK, LOOK_BATCHED = 0.005, 0.05  # seconds between looks at the clock, without and with a network


@dataclass(frozen=True)
class Config:
    """Options of the search."""

    simulations: int = 1000
    """Simulations a move, over all threads; those kept from the move before count."""
    seconds: float = 0.0
    """Most time a move; 0 leaves the number of simulations to decide, otherwise that number is no limit."""
    early: bool = True
    """Whether to stop before the time is up once no other move can become the most visited one."""
    threads: int = 1
    """Trees that grow side by side, whose roots are added up; with a network, batches evaluated side by side."""
    rule: Literal["uct", "puct", "gumbel"] = "uct"
    """How a search goes down: by confidence bounds, by a policy's probabilities, or by Gumbel AlphaZero's rule."""
    exploration: float | None = None
    """Constant of UCT or PUCT, for results from -1 to 1; none: 1 for UCT, 0 with RAVE, 1.25 for PUCT."""
    rave: float | None = None
    """UCT: visits at which results of a move made later in a simulation count as much as its own; 0 leaves them out;
    none: as suits the game."""
    first_play: float | None = None
    """UCT: value of a move never tried; none: 10, or 1 with RAVE. PUCT: by how much less than its parent's mean it is,
    once all are tried; none: 0.2."""
    expand_after: int | None = None
    """Visits of a node before its moves are added to the tree; none: a tenth of the game's actions, from 1 to 8."""
    virtual_loss: float = 1.0
    """Losses that a simulation counts as while it waits for a network."""
    batch: int = 8
    """Leaves that a network evaluates together."""
    forced: float = 0.0
    """PUCT with a network: each move of the root that was tried gets at least the root of so many times its probability
    times all visits (Wu, 2019, section 3.2, which has 2)."""
    noise: float = 0.0
    """Share of Dirichlet noise in a network's probabilities of the root's moves (0.25 in AlphaZero's self-play)."""
    noise_total: float = 10.83
    """Sum of the parameters of that noise, spread evenly over the legal moves."""
    temperature: float = 0.0
    """Moves are drawn in proportion to visits to the power of 1/temperature; 0 takes the most visited."""
    considered: int = 16
    """Gumbel: moves of the root that sequential halving begins with."""
    solver: bool = True
    """Whether proven wins and losses are used; only for games of two players without chance."""
    reuse: bool = True
    """Whether the part of the tree below the moves made is kept."""
    nodes: int = 2_000_000
    """Room for nodes in each tree; once it is used up the tree stops to grow, not the search."""
    resign: float = -1.0
    """Resigns where the best move's value is below it; -1 never does."""

    def __post_init__(self) -> None:
        least = {
            "simulations": 1,
            "seconds": 0,
            "threads": 1,
            "expand_after": 1,
            "batch": 1,
            "considered": 1,
            "nodes": 64,
        }
        for name, value in least.items():
            if not (getattr(self, name) is None or getattr(self, name) >= value):
                raise ValueError(f"{name} is {getattr(self, name)}, but at least {value} is wanted")
        if self.rule not in RULES:
            raise ValueError(f"rule is {self.rule!r}, but one of {', '.join(RULES)} is wanted")
        for name in ("exploration", "rave", "virtual_loss", "forced", "noise_total", "temperature"):
            if not (getattr(self, name) is None or 0 <= getattr(self, name) < np.inf):
                raise ValueError(f"{name} is {getattr(self, name)}, but a number from 0 on is wanted")
        if not 0 <= self.noise <= 1 or not -1 <= self.resign <= 1:
            raise ValueError(f"noise {self.noise} must lie in [0, 1] and resign {self.resign} in [-1, 1]")


class Search:
    """A search of one game, which goes on from move to move."""

    def __init__(self, game: Game, config: Config, seed: int = 0, evaluator: Evaluator | None = None) -> None:
        if evaluator is None and config.rule == "gumbel":
            raise ValueError("rule gumbel needs a network's probabilities; uct and puct search with playouts")
        if evaluator is None and config.noise:
            raise ValueError(f"noise is {config.noise}, but only a network's probabilities take any; leave it at 0")
        if config.nodes <= game.num_actions:
            raise ValueError(
                f"nodes is {config.nodes}, but more than {game.name}'s {game.num_actions} moves are wanted"
            )
        if config.rule == "gumbel" and config.threads > 1:
            raise ValueError(f"threads is {config.threads}, but rule gumbel evaluates one batch at a time")
        self.game, self.config = game, config
        self.settings = settings_of(game, config, evaluator is not None)
        self.simulations = 0  # of the last run, over all threads
        self._numpy = np.random.default_rng(seed)
        self._leaves = Leaves(game, evaluator, config.batch, config.threads) if evaluator else None
        num_trees = 1 if evaluator else config.threads
        self._walks = [new_walk(len(game.start), game.num_actions, game.max_plies) for _ in range(num_trees)]
        rngs = [seed_state(seed, thread) for thread in range(num_trees)]
        self._worlds = [sealed(World(functions(game), rng, game.data)) for rng in rngs]
        self._trees: list[Tree] = []
        self._state: State | None = None
        self.plan = RootPlan(config, self.settings, game.num_actions, seed)

    def reset(self) -> None:
        """Forgets the tree."""
        self._trees, self._state = [], None
        self.plan.begin_root()

    def run(self, state: State, simulations: int | None = None, seconds: float | None = None) -> None:
        """Searches from a state, by default as long as the configuration says; goes on where the tree is at it.

        Raises:
            ValueError: the game is over there.
        """
        if not legal_mask(self.game, state).any():
            raise ValueError(f"{self.game.name} is over: there is no move to search")
        self._root(state)
        self.plan.begin_run()
        seconds = self.config.seconds if seconds is None and simulations is None else seconds
        if seconds:
            self._each_thread(lambda thread: self._for_seconds(thread, seconds))
            return
        wanted = self.config.simulations if simulations is None else simulations
        wanted -= self.visits if simulations is None else 0
        shares = [wanted // len(self._trees) + (i < wanted % len(self._trees)) for i in range(len(self._trees))]
        self._each_thread(lambda thread: self._simulate(thread, max(shares[thread], 1), shares[thread]))

    def steps(self, state: State, simulations: int) -> Steps:
        """Searches by turns with whoever evaluates the leaves, so that many searches can share a network's batches.

        Simulations kept from the move before count. The search must have been given an evaluator, if only `elsewhere`.
        """
        assert self._leaves is not None, "steps are for a search with a network"
        self._root(state)
        self.plan.begin_run()
        wanted = max(simulations - self.visits, 1)
        return self._leaves.steps(self._growth(), wanted, wanted)

    @property
    def tree(self) -> Tree:
        """The tree, of several threads the first."""
        return self._trees[0]

    @property
    def visits(self) -> int:
        """Simulations in the tree, over all threads."""
        return sum(int(tree.visits[0]) for tree in self._trees)

    def advance(self, action: int, state: State) -> None:
        """Goes on to the state that an action has led to, keeping what the tree knows of it."""
        if self._state is None or not self.config.reuse or not self.game.deterministic:
            self.reset()
            return
        for thread, tree in enumerate(self._trees):
            fresh = new_tree(self.config.nodes, self.game.deterministic)
            if child := child_with(tree, 0, action):
                keep_subtree(tree, child, fresh)
                fresh.proven[0] = 0  # what was proven for who chose it, who may be the one to move
                prove(fresh, 0, False)
            self._trees[thread] = fresh
        self._state = state.copy()
        self.plan.begin_root()

    def children(self) -> list[Child]:
        """Returns the root's moves, the best first: proven wins, then by visits, proven losses last."""
        return children_of(self._trees)

    def best(self) -> int:
        """Returns the move to make, drawn if there is a temperature, but never a proven loss if another is left.

        Raises:
            ValueError: nothing was searched yet.
        """
        if not (children := self.children()):
            raise ValueError("there is no best move before a search: call run first")
        if self.plan.gumbel is not None:
            return self.plan.gumbel.best()
        return chosen(children, self.config.temperature, self._numpy).action

    def variation(self, action: int, longest: int = 12) -> list[int]:
        """Returns the moves that are expected after an action, it first."""
        return variation_of(self._trees[0], action, longest)

    @property
    def full(self) -> bool:
        """Whether a tree has no room left."""
        return any(bool(tree.info[FULL]) for tree in self._trees)

    @property
    def nodes(self) -> int:
        """Nodes in use, over all threads."""
        return sum(int(tree.info[NODES]) for tree in self._trees)

    def _root(self, state: State) -> None:
        used = state[USED]
        if self._state is None or not np.array_equal(self._state[:used], state[:used]) or not self._trees:
            self._trees = [new_tree(self.config.nodes, self.game.deterministic) for _ in self._worlds]
            self._state = state.copy()
            self.plan.begin_root()
        for walk in self._walks:
            walk.start[:] = state

    def _each_thread(self, work: Callable[[int], int]) -> None:
        if len(self._trees) == 1:
            self.simulations = work(0)
            return
        with ThreadPoolExecutor(len(self._trees)) as pool:
            self.simulations = sum(pool.map(work, range(len(self._trees))))

    def _for_seconds(self, thread: int, seconds: float) -> int:
        least, look = (CHUNK, LOOK) if self._leaves is None else (self.config.batch, LOOK_BATCHED)
        begin, done, number = time.perf_counter(), 0, least
        while True:
            ran = self._simulate(thread, number, CHUNK)
            done += ran
            spent = time.perf_counter() - begin
            lead = lead_of(self._trees[thread]) if self.config.early else 0
            if ran < number or spent >= seconds or lead > done / spent * (seconds - spent):
                return done
            number = max(least, int(done / spent * min(look, seconds - spent)))

    def _simulate(self, thread: int, number: int, planned: int) -> int:
        tree, walk, world = self._trees[thread], self._walks[thread], self._worlds[thread]
        if self._leaves is None:
            return int(simulate(tree, walk, self.settings, world, number, -1))
        try:
            return self._leaves.run(self._growth(), number, planned)
        except BaseException:
            self.reset()
            raise

    def _growth(self) -> Growth:
        return Growth(self._trees[0], self._walks[0], self.settings, self._worlds[0], self.plan)


def settings_of(game: Game, config: Config, network: bool) -> Settings:
    """Returns what compiled code is told of a configuration, with what suits the game where it leaves that open."""
    rave = (game.rave if config.rave is None else config.rave) if config.rule == "uct" and not network else 0.0
    exploration = {"uct": 0.0 if rave else 1.0, "puct": 1.25, "gumbel": 0.0}[config.rule]
    first_play = (1.0 if rave else 10.0) if config.rule == "uct" else 0.2
    expand_after = min(max(game.num_actions // 10, 1), 8) if config.expand_after is None else config.expand_after
    return Settings(
        rule=RULES[config.rule],
        exploration=float(exploration if config.exploration is None else config.exploration),
        first_play=float(first_play if config.first_play is None else config.first_play),
        rave=float(rave),
        virtual_loss=float(config.virtual_loss),
        expand_after=-1 if network else expand_after,
        solver=config.solver and game.num_players == 2 and game.deterministic,
        num_players=game.num_players,
        discount=float(game.discount),
        rescale=game.num_players == 1,
        own_playout=game.has_playout,
        max_plies=game.max_plies,
    )
