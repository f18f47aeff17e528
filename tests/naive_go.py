"""Go in plain Python, by flood fill and a list of all past boards: the oracle of the kernels' tests.

Points are numbers, row * size + column; a board is a tuple of colours, 0 empty, 1 black, 2 white.
"""

from palestra.envs.go.rules import Rules

Board = tuple[int, ...]


def neighbours(size: int, p: int) -> list[int]:
    """Lists the points beside a point."""
    row, column = divmod(p, size)
    beside = [(row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column)]
    return [r * size + c for r, c in beside if 0 <= r < size and 0 <= c < size]


def flood(board: Board, size: int, p: int) -> tuple[set[int], set[int]]:
    """Returns the points connected with p that have its colour, and the points around them."""
    inside, around, todo = {p}, set(), [p]
    while todo:
        for q in neighbours(size, todo.pop()):
            if board[q] != board[p]:
                around.add(q)
            elif q not in inside:
                inside.add(q)
                todo.append(q)
    return inside, around


def liberties(board: Board, size: int, p: int) -> set[int]:
    """Returns the empty points around the chain at p."""
    return {q for q in flood(board, size, p)[1] if board[q] == 0}


def after(board: Board, size: int, p: int, color: int) -> tuple[Board, int, int]:
    """Returns the board after a stone on an empty point, how many enemies it took, and how many friends."""
    stones = list(board)
    stones[p] = color
    full = tuple(stones)
    taken: set[int] = set()
    for q in neighbours(size, p):
        if full[q] == 3 - color and not liberties(full, size, q):
            taken |= flood(full, size, q)[0]
    own = set() if taken or liberties(full, size, p) else flood(full, size, p)[0]
    return tuple(0 if q in taken | own else c for q, c in enumerate(full)), len(taken), len(own)


def owners(board: Board, size: int) -> list[int]:
    """Lists whose each point is: its stone's, or that colour's which alone surrounds it, else 0."""
    owner = list(board)
    for p, color in enumerate(board):
        if color == 0:
            touched = {board[q] for q in flood(board, size, p)[1]}
            owner[p] = touched.pop() if len(touched) == 1 else 0
    return owner


class NaiveGo:
    """Twin of `envs/go/play.py`: one game."""

    def __init__(self, rules: Rules, board: Board | None = None, to_move: int = 1) -> None:
        self.rules, self.size, self.to_move, self.over = rules, rules.size, to_move, False
        self.board: Board = board or (0,) * rules.size**2
        self.past = [(self.board, to_move)]  # every position so far and who was to move there
        self.actions: list[int] = []
        self.lost = {1: 0, 2: 0}
        self.last_capture = 0  # by the move before

    @property
    def pass_action(self) -> int:
        """The action that passes."""
        return self.size**2

    def why_not(self, p: int) -> str:
        """Says which rule forbids a stone on p; empty if none does."""
        if self.board[p]:
            return "occupied"
        board, taken, own = after(self.board, self.size, p, self.to_move)
        if own and not self.rules.suicide:
            return "suicide"
        if taken and self.last_capture == 1 and board == self.past[-2][0]:
            return "ko"
        if self.rules.superko == "positional" and board in [b for b, _ in self.past]:
            return "superko"
        if self.rules.superko == "situational" and (board, 3 - self.to_move) in self.past:
            return "superko"
        return ""

    def reasons(self) -> list[str]:
        """Says of each action, a pass being the last, why it may not be played; empty if it may."""
        if self.over:
            return ["over"] * (self.pass_action + 1)
        return [*map(self.why_not, range(self.pass_action)), ""]

    def legal(self) -> list[bool]:
        """Says of each action whether it may be played."""
        return [reason == "" for reason in self.reasons()]

    def play(self, action: int) -> None:
        """Makes a legal move."""
        taken = 0
        if action != self.pass_action:
            self.board, taken, own = after(self.board, self.size, action, self.to_move)
            self.lost[3 - self.to_move] += taken
            self.lost[self.to_move] += own
        self.actions.append(action)
        self.last_capture, self.to_move = taken, 3 - self.to_move
        self.past.append((self.board, self.to_move))
        passed = self.actions[-2:] == [self.pass_action] * 2
        self.over = passed or len(self.actions) == self.rules.longest

    def lead(self) -> float:
        """Returns Black's lead, komi counted, all stones being alive."""
        owner = owners(self.board, self.size)
        if self.rules.scoring == "area":
            return owner.count(1) - owner.count(2) - self.rules.white_bonus
        empty = [color for p, color in enumerate(owner) if self.board[p] == 0]
        return empty.count(1) - empty.count(2) + self.lost[2] - self.lost[1] - self.rules.white_bonus


def stone_ko(board: Board, size: int, p: int, color: int) -> int:
    """Returns the point that a move makes ko, -1 if none: one lone stone took one and can be taken back alone."""
    new, taken, _ = after(board, size, p, color)
    if taken != 1 or len(flood(new, size, p)[0]) != 1 or len(liberties(new, size, p)) != 1:
        return -1
    return liberties(new, size, p).pop()


def ways_out(board: Board, size: int, stone: int) -> set[int]:
    """Returns where the owner of a chain in atari may save it: its liberty, and those of enemies beside it in atari."""
    ways = liberties(board, size, stone)
    for q in flood(board, size, stone)[1]:
        if board[q] == 3 - board[stone] and len(liberties(board, size, q)) == 1:
            ways |= liberties(board, size, q)
    return ways


Past = frozenset[tuple[Board, int]]


def escapes(board: Board, size: int, stone: int, p: int, ko: int, past: Past = frozenset()) -> bool:
    """Says whether a chain in atari escapes from a ladder if its owner plays p.

    Raises:
        RecursionError: the chase goes round a ko for ever.
    """
    owner = board[stone]
    if (board, p) in past:
        raise RecursionError
    if p == ko or after(board, size, p, owner)[2]:
        return False
    fled, ko = after(board, size, p, owner)[0], stone_ko(board, size, p, owner)
    free = liberties(fled, size, stone)
    if len(free) == 1:
        return False
    return len(free) > 2 or not any(catches(fled, size, stone, q, ko, past | {(board, p)}) for q in free)


def catches(board: Board, size: int, stone: int, p: int, ko: int, past: Past = frozenset()) -> bool:
    """Says whether a chain of two liberties is caught in a ladder if the hunter plays p, one of them."""
    hunter = 3 - board[stone]
    if p == ko or after(board, size, p, hunter)[2]:
        return False
    chased, ko = after(board, size, p, hunter)[0], stone_ko(board, size, p, hunter)
    return not any(escapes(chased, size, stone, q, ko, past) for q in ways_out(chased, size, stone))


def pass_alive(board: Board, size: int, color: int) -> set[int]:
    """Returns the stones of a colour that Benson's theorem calls alive: the largest set that his definition allows."""
    alive = {frozenset(flood(board, size, p)[0]) for p, stone in enumerate(board) if stone == color}
    merged = tuple(int(stone == color) for stone in board)
    regions = {frozenset(flood(merged, size, p)[0]) for p, stone in enumerate(merged) if stone == 0}

    def beside(chain: frozenset[int]) -> set[int]:
        return flood(board, size, min(chain))[1]

    while True:
        outside = {p for p, stone in enumerate(board) if stone == color} - {p for chain in alive for p in chain}
        sound = [r for r in regions if not flood(merged, size, min(r))[1] & outside]
        empty = [{p for p in r if board[p] == 0} for r in sound]
        kept = {chain for chain in alive if sum(free <= beside(chain) for free in empty) >= 2}
        if kept == alive:
            return {p for chain in alive for p in chain}
        alive = kept
