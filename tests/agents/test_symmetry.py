"""Symmetries against a board on which every point is known by its number."""

import pytest
import torch

from palestra.agents.symmetry import NUM, spread, tables, turn_actions, turn_back, turn_boards


@pytest.mark.parametrize("size", [2, 5, 9])
def test_a_board_an_action_and_its_logit_go_to_the_same_place(size: int) -> None:
    points = size * size
    numbered = torch.arange(points).view(1, 1, size, size)
    for k in range(NUM):
        turned = turn_boards(numbered, k).flatten()
        for action in range(points):
            assert turned[turn_actions(torch.tensor(action), k, size)] == action
        assert turn_actions(torch.tensor([[points]]), k, size).tolist() == [[points]]
        assert turn_back(turned[None], k, size).tolist() == [list(range(points))]
        logits = torch.cat([turned, torch.tensor([points])])[None]
        assert turn_back(logits, k, size).tolist() == [list(range(points + 1))]


def test_there_are_eight_of_them_and_they_keep_neighbours() -> None:
    source, target = tables(5)
    assert len({tuple(row.tolist()) for row in source}) == NUM
    for k in range(NUM):
        assert (source[k][target[k]] == torch.arange(26)).all()
        row, column = source[k][:25].view(5, 5) // 5, source[k][:25].view(5, 5) % 5
        assert ((row[:, 1:] - row[:, :-1]).abs() + (column[:, 1:] - column[:, :-1]).abs() == 1).all()


def test_eighths_of_a_batch_are_turned_each_otherwise() -> None:
    obs = torch.arange(16.0).view(1, 1, 4, 4).repeat(19, 1, 1, 1)
    action = torch.arange(19) % 17
    boards, actions = spread(obs, action)
    assert len({tuple(board.flatten().tolist()) for board in boards}) == NUM
    for board, a, before in zip(boards, actions, action, strict=True):
        assert a == 16 if before == 16 else board.flatten()[a] == before
