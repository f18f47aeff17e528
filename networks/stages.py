"""Looking into a network stage by stage: the outputs of its modules, and freezing the first of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def outputs_of(network: nn.Module, paths: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Gives a dictionary that after each forward pass holds the outputs `[B, ...]` of the modules at `paths`.

    Raises:
        ValueError: the network has no such module; what it has is said.
    """
    outputs: dict[str, Tensor] = {}

    def keep(path: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            outputs[path] = output

        return hook

    handles = [module_at(network, path).register_forward_hook(keep(path)) for path in paths]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def module_at(network: nn.Module, path: str) -> nn.Module:
    """Returns the module at a path, as in `layer1.0.conv2`.

    Raises:
        ValueError: the network has no such module; its stages are named.
    """
    try:
        return network.get_submodule(path)
    except AttributeError:
        raise ValueError(
            f"the network {name_of(network)} has no module {path!r}; its stages are {', '.join(stages_of(network))}"
        ) from None


def stages_of(network: nn.Module) -> tuple[str, ...]:
    """Returns the paths of a network's stages, input to output, or of its children where it names none."""
    stages: tuple[str, ...] = getattr(network, "stages", tuple(name for name, _ in network.named_children()))
    return stages


def name_of(network: nn.Module) -> str:
    """Returns the name by which a network was created, or that of its class."""
    config: Any = getattr(network, "config", None)
    return str(config["network"]) if config else type(network).__name__


class FeatureMaps(nn.Module):
    """A network that returns the outputs of its stages, `[B, C, H, W]` each for images, as a list."""

    def __init__(self, network: nn.Module, stages: Sequence[str] | None = None) -> None:
        super().__init__()
        self.network = network
        self.stages = tuple(stages or stages_of(network))
        for path in self.stages:
            module_at(network, path)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps `[B, ...]` to the output of each stage."""
        with outputs_of(self.network, self.stages) as outputs:
            self.network(x)
        return [outputs[path] for path in self.stages]


def freeze(network: nn.Module, num_stages: int) -> None:
    """Makes the parameters of the first `num_stages` stages constants; with 0 all are learnt.

    Whatever is registered before the end of a stage counts as part of it. Layers whose parameters are constants keep
    their statistics too, where training mode is set by `train_mode`.

    Raises:
        ValueError: there are not so many stages.
    """
    stages = stages_of(network)
    if not 0 <= num_stages <= len(stages):
        raise ValueError(
            f"{num_stages} stages were to be frozen, but {name_of(network)} has {len(stages)}: {', '.join(stages)}"
        )
    network.requires_grad_(True)
    if not num_stages:
        return
    last = stages[num_stages - 1]
    modules = list(network.named_modules())
    end = max(i for i, (name, _) in enumerate(modules) if name == last or name.startswith(f"{last}."))
    for _, module in modules[: end + 1]:
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(False)


def train_mode(network: nn.Module) -> None:
    """Sets training mode, but for normalisation layers whose parameters are constants: they keep their statistics."""
    network.train()
    for module in network.modules():
        parameters = list(module.parameters(recurse=False))
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and parameters:
            module.train(any(p.requires_grad for p in parameters))


def num_parameters(network: nn.Module) -> int:
    """Counts the numbers that a network learns."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


@torch.no_grad()
def stage_outputs(network: nn.Module, x: Tensor, paths: Sequence[str] | None = None) -> dict[str, Tensor]:
    """Returns the outputs of stages, all by default, for a batch `[B, ...]`."""
    with outputs_of(network, paths or stages_of(network)) as outputs:
        network(x)
    return dict(outputs)
