"""A network cut into two stages that two processes train as a pipeline (GPipe, Huang et al. 2019).

Each process holds one half of an `mlp`. A batch is cut into microbatches that follow each other through the halves, so
that both work at once; their gradients add up to those of the whole batch. The same training in one process runs
beside it, and losses, gradients and weights are compared: the exit status is 1 where they differ by more than 1e-6.

    torchrun --nproc-per-node 2 docs/examples/pipeline.py

With GPUs it is the same with `nccl` instead of `gloo` and a device a process.
"""

import copy
import os
import sys

import torch
from torch import Tensor, distributed, nn
from torch.distributed.pipelining import PipelineStage, ScheduleGPipe
from torch.nn import functional as F

from palestra.networks import create

BATCH_SIZE, MICROBATCHES, STEPS, LEARNING_RATE = 64, 4, 5, 0.5
TOLERANCE = 1e-6  # absolute; sums in another order differ by about 1e-7


def halves(network: nn.Module) -> list[nn.Module]:
    """Cuts an `mlp` after its middle stage: the second half ends with the head."""
    layers = list(network.get_submodule("features").children())
    middle = 2 * (len(layers) // 4)  # a stage is a linear layer and its activation
    return [nn.Sequential(*layers[:middle]), nn.Sequential(*layers[middle:], network.get_submodule("head"))]


def batch(step: int) -> tuple[Tensor, Tensor]:
    """Returns the vectors `[B, 8]` and classes `[B]` of a step, the same in every process."""
    x = torch.randn(BATCH_SIZE, 8, generator=torch.Generator().manual_seed(step))
    return x, x[:, :4].argmax(1)


def differences(ours: nn.Module, theirs: nn.Module) -> list[Tensor]:
    """Returns the largest difference of each parameter, and of its gradient, between two modules of one form."""
    pairs = list(zip(ours.parameters(), theirs.parameters(), strict=True))
    found = [(a - b).detach().abs().max() for a, b in pairs]
    return found + [(a.grad - b.grad).abs().max() for a, b in pairs]  # type: ignore[operator]


def train(rank: int) -> float:
    """Trains as a pipeline and alone, and returns the largest difference that this process sees (NaN is infinite)."""
    torch.manual_seed(0)
    alone = create("mlp", in_channels=8, num_classes=4, hidden=(32, 32, 32, 32))
    whole = halves(alone)
    mine = copy.deepcopy(whole[rank])
    schedule = ScheduleGPipe(PipelineStage(mine, rank, 2, torch.device("cpu")), MICROBATCHES, F.cross_entropy)
    optimizers = [torch.optim.SGD(module.parameters(), LEARNING_RATE) for module in (mine, alone)]
    found = []
    for step in range(STEPS):
        x, classes = batch(step)
        for optimizer in optimizers:
            optimizer.zero_grad()
        losses: list[Tensor] = []
        if rank == 0:
            schedule.step(x)
        else:
            schedule.step(target=classes, losses=losses)
        loss = F.cross_entropy(alone(x), classes)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        found += differences(mine, whole[rank])
        if losses:
            mean, wanted = torch.stack(losses).detach().mean(), loss.detach()
            found.append((mean - wanted).abs())
            print(f"step {step}: loss {mean:.6f} as a pipeline, {wanted:.6f} in one process", flush=True)
    return float(torch.stack(found).nan_to_num(torch.inf).max())


def main() -> int:
    """Runs in each process, and returns its exit status."""
    if os.environ.get("WORLD_SIZE") != "2":
        print("the pipeline has two stages: torchrun --nproc-per-node 2 docs/examples/pipeline.py", file=sys.stderr)
        return 2
    distributed.init_process_group("gloo")
    try:
        worst = torch.tensor(train(distributed.get_rank()))
        distributed.all_reduce(worst, distributed.ReduceOp.MAX)
        if distributed.get_rank() == 0:
            print(f"largest difference of a loss, gradient or weight: {worst:.1e}", flush=True)
    finally:
        distributed.destroy_process_group()
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
