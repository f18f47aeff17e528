"""What a network is to lower: the loss of a batch, sample by sample, with metrics beside it."""

from collections.abc import Callable

from torch import Tensor, nn

from palestra.networks.batches import Batch
from palestra.networks.losses import LOSSES, hits
from palestra.networks.names import named

Losses = tuple[Tensor, dict[str, Tensor]]  # [B], and metrics [B] by name


class Objective(nn.Module):
    """A network and what it is to lower, as one module, so that any method of the network can be used in parallel."""

    def __init__(self, network: nn.Module, function: Callable[[nn.Module, Batch], Losses]) -> None:
        super().__init__()
        self.network = network
        self.function = function

    def forward(self, *batch: Tensor) -> Losses:
        """Maps a batch to its losses `[B]` and metrics `[B]`."""
        return self.function(self.network, batch)


def objective_of(network: nn.Module, loss: str) -> Callable[[nn.Module, Batch], Losses]:
    """Returns what a loss by name asks of a network; auto is its own `objective` where it has one."""
    if loss == "auto" and hasattr(network, "objective"):
        return lambda network, batch: network.objective(batch)  # type: ignore[operator]
    return supervised("cross-entropy" if loss == "auto" else loss)


def supervised(loss: str) -> Callable[[nn.Module, Batch], Losses]:
    """Returns the objective of a loss by name on batches of inputs and targets."""
    function = named(loss, LOSSES, "loss")

    def objective(network: nn.Module, batch: Batch) -> Losses:
        if len(batch) < 2:
            raise ValueError(f"the loss {loss} needs targets, but the data have none")
        output = network(batch[0])
        labelled = batch[1].dim() == 1 and not batch[1].is_floating_point()
        if labelled and not 0 <= int(batch[1].min()) <= int(batch[1].max()) < max(output.shape[1], 2):
            last = max(output.shape[1], 2) - 1
            raise ValueError(f"labels must lie between 0 and {last}, but go from {batch[1].min()} to {batch[1].max()}")
        return function(output, batch[1]), {"accuracy": hits(output, batch[1])} if labelled else {}

    return objective
