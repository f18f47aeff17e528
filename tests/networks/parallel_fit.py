"""Fits a small network, alone or in several processes started by torchrun; the main one saves it where it is told."""

import os
import sys

import torch
from torch import nn

from palestra.networks.fit import FitConfig, Learner


def main(out: str, accumulate: int) -> None:
    """Fits 3 epochs of 50 samples in batches of 16, which neither 2 processes nor 3 parts divide evenly."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(50, 6, generator=random)
    y = (x.sum(dim=1) > 0).long()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 2))
    config = FitConfig(
        epochs=3, batch_size=16, learning_rate=0.1, optimizer="momentum", accumulate=accumulate, device="cpu"
    )
    learner = Learner(network, config)
    metrics = [row for _, row in learner.fit((x, y), (x, y))]
    outputs = learner.predict(x)
    if os.environ.get("RANK", "0") == "0":
        torch.save({"weights": network.state_dict(), "metrics": metrics, "outputs": outputs}, out)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
