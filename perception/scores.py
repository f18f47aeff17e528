"""What is to be explained: one number a sample, made of a network's outputs or of one of its units."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from palestra.networks import NETWORKS
from palestra.networks.pixels import PIXEL_SCALE
from palestra.networks.stages import module_at, name_of, outputs_of, stages_of
from palestra.perception.inputs import arranged


class Unit(NamedTuple):
    """One unit of a stage: a number of its vector, or a channel of its maps at a row and column.

    `place` is (row, column), "max" for the place where the channel answers most strongly, or "mean" over all places.
    """

    stage: str
    number: int
    place: tuple[int, int] | str = "max"

    def response(self, output: Tensor) -> Tensor:
        """Returns the unit's answers `[B]` in a stage's output, `[B, N]` or `[B, N, H, W]`.

        Raises:
            ValueError: the stage has no such unit, or no such place.
        """
        if not 0 <= self.number < output.shape[1]:
            raise ValueError(
                f"the stage {self.stage} has units 0 to {output.shape[1] - 1}, but {self.number} was asked for"
            )
        maps = output[:, self.number].flatten(1) if output.dim() > 2 else output[:, self.number, None]
        if self.place == "max":
            return maps.amax(dim=1)
        if self.place == "mean":
            return maps.mean(dim=1)
        row, column = (int(i) for i in self.place)
        if output.dim() != 4 or not (0 <= row < output.shape[2] and 0 <= column < output.shape[3]):
            raise ValueError(f"the maps of {self.stage} are {list(output.shape[2:])}, without a place {self.place}")
        return output[:, self.number, row, column]


Target = int | Tensor | Unit | Callable[[Tensor], Tensor] | None


class Score(nn.Module):
    """A network with one output a sample, `[B, ...] -> [B]`: what `target` says of the network's output.

    A batch that repeats the samples several times, as perturbation does, is answered in the same order.
    """

    def __init__(self, network: nn.Module, target: Tensor | Unit | Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self.target = target

    def forward(self, x: Tensor) -> Tensor:
        """Maps inputs `[B, ...]` to the scores `[B]`."""
        if isinstance(self.target, Unit):
            with outputs_of(self.network, [self.target.stage]) as outputs:
                self.network(x)
            return self.target.response(outputs[self.target.stage])
        output = self.network(x)
        if not isinstance(self.target, Tensor):
            return self.target(output)
        if output.dim() == 1:
            return output  # type: ignore[no-any-return]
        index = self.target.repeat(len(output) // len(self.target))
        return output.gather(1, index[:, None]).squeeze(1)  # type: ignore[no-any-return]


class OnImages(nn.Module):
    """A network on vectors or sequences that takes images `[B, C, H, W]`, so that its maps are images too."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.config = getattr(network, "config", None)
        self.stages = tuple(f"network.{stage}" for stage in stages_of(network))
        if hasattr(network, "encode"):
            self.encode = lambda x: network.encode(arranged(x, network.input_rank))  # type: ignore[operator, arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Maps images, as pixels one after the other or as rows, to the network's output."""
        return self.network(arranged(x, self.network.input_rank))  # type: ignore[no-any-return, arg-type]


def score_of(network: nn.Module, x: Tensor, target: Target) -> Score:
    """Returns the score that a target means for inputs `[B, ...]`: None is the highest output of each sample.

    Raises:
        ValueError: the network cannot take the inputs, or has no such output, stage or unit.
    """
    if isinstance(target, Unit):
        module_at(network, target.stage)
    output = output_of(network, x)
    score = Score(network, _chosen(network, output, target))
    if isinstance(score.target, Tensor):
        return score
    with torch.no_grad():
        given = score(x)
    if given.shape != (len(x),):
        raise ValueError(f"a target must make [{len(x)}] of the output {list(output.shape)}, not {list(given.shape)}")
    return score


def _chosen(network: nn.Module, output: Tensor, target: Target) -> Tensor | Unit | Callable[[Tensor], Tensor]:
    """Returns a target as the numbers of outputs `[B]`, where it is no unit or function already."""
    if isinstance(target, Unit) or (callable(target) and not isinstance(target, Tensor)):
        return target
    if output.dim() == 1:
        return torch.zeros(len(output), dtype=torch.int64, device=output.device)
    if output.dim() != 2:
        raise ValueError(
            f"the output of {name_of(network)} is {list(output.shape)}, not one number a class; "
            "give a target that makes one number a sample of it"
        )
    if target is None:
        return output.argmax(dim=1)
    index = torch.as_tensor(target, device=output.device).to(torch.int64).expand(len(output))
    if int(index.min()) < 0 or int(index.max()) >= output.shape[1]:
        raise ValueError(
            f"{name_of(network)} has outputs 0 to {output.shape[1] - 1}, "
            f"but {int(index.max() if index.min() >= 0 else index.min())} was asked for"
        )
    return index


def output_of(network: nn.Module, x: Tensor) -> Tensor:
    """Returns what a network makes of inputs `[B, ...]`, without gradients.

    Raises:
        ValueError: it cannot take them; what it takes is said where that is known.
    """
    wanted = input_shape(network)
    if wanted is not None and (x.dim() != len(wanted) + 1 or x.shape[1] != wanted[0]):
        raise ValueError(_not_taken(network, x, wanted))
    try:
        with torch.no_grad():
            return network(x)  # type: ignore[no-any-return]
    except RuntimeError as error:
        raise ValueError(f"{_not_taken(network, x, wanted)}: {str(error).splitlines()[0]}") from error


def input_shape(network: nn.Module) -> tuple[int, ...] | None:
    """Returns the shape of a sample, `(N,)` or `(C, H, W)`, of a network that `create` made; None where unknown."""
    config: Any = getattr(network, "config", None)
    rank = getattr(network, "input_rank", None)
    if config is None or rank not in (1, 3):
        return None
    if rank == 1:
        return (int(config["in_channels"]),)
    options = {**NETWORKS[config["network"]].options, **config}
    parameter = inspect.signature(type(network)).parameters.get("image_size")
    size = options.get("image_size") or (parameter.default if parameter else None)
    return (int(config["in_channels"]), *map(int, size)) if isinstance(size, tuple | list) else None


def prepared(network: nn.Module, x: Tensor) -> Tensor:
    """Returns inputs `[B, ...]` as floats of their own where the network is; bytes come to lie in [0, 1].

    Raises:
        ValueError: there is no sample.
    """
    if x.dim() < 2 or not len(x):
        raise ValueError(f"inputs are a batch [B, ...] of at least one sample, but have shape {list(x.shape)}")
    weight = next(network.parameters(), None)
    x = x.detach().to(x.device if weight is None else weight.device)
    if x.dtype == torch.uint8:
        return torch.mul(x, PIXEL_SCALE)
    return x.clone() if x.is_floating_point() else x.float()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Puts a network in evaluation mode, with gradients allowed, and every module back to its own mode afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def _not_taken(network: nn.Module, x: Tensor, wanted: tuple[int, ...] | None) -> str:
    takes = f" of shape {list(wanted)}" if wanted else ""
    return f"{name_of(network)} takes inputs{takes}, but was given {list(x.shape[1:])}"
