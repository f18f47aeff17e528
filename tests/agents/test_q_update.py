import torch

from palestra.agents.q_update import td_target


def test_targets_by_hand() -> None:
    reward, discount = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.0])
    q = torch.tensor([[1.0, 4.0, 2.0], [9.0, 9.0, 9.0]])
    torch.testing.assert_close(td_target(reward, discount, q, q, None), torch.tensor([3.0, 2.0]))
    mask = torch.tensor([[True, False, True], [False, False, False]])  # nothing may be allowed where nothing follows
    torch.testing.assert_close(td_target(reward, discount, q, q, mask), torch.tensor([2.0, 2.0]))
    online = torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # double Q: chosen by one, valued by the other
    torch.testing.assert_close(td_target(reward, discount, q, online, None), torch.tensor([1.5, 2.0]))
