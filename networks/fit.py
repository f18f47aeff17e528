"""One loop that fits any network: on a CPU or GPU, or in many processes started by torchrun or `accelerate launch`.

What a step does follows from the weights, the optimiser's state and the step's number alone: the order of the samples
from the seed and the epoch, dropout and augmentation from the seed and the step. So a fit that is stopped anywhere and
restored from `state` goes on to the same weights, to the bit. Processes share each batch, and gradients are weighted
by samples, so that their number and `accumulate` change nothing but rounding.
"""

import atexit
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, gather_object
from torch import Tensor, nn

from palestra.networks.batches import Batch, as_dataset, read_batches, shares, split_evenly
from palestra.networks.losses import LOSSES
from palestra.networks.names import named
from palestra.networks.objectives import Losses, Objective, objective_of
from palestra.networks.optimizers import OPTIMIZERS, SCHEDULES, optimizer_named
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshot
from palestra.networks.stages import train_mode

Metrics = dict[str, float]


class DivergedError(ValueError):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class FitConfig:
    """Options of a fit."""

    loss: str = "auto"
    """cross-entropy, hinge, exponential, logistic, mse, or auto: the network's own objective, else cross-entropy."""
    optimizer: str = "adam"
    """sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam or adamw."""
    learning_rate: float = 1e-3
    """Step size of the optimiser."""
    momentum: float = 0.9
    """Momentum of momentum and nesterov, and Adam's first beta."""
    weight_decay: float = 0.0
    """Weight decay as the optimiser has it."""
    schedule: str = "constant"
    """How the step size goes: constant, linear, cosine, or one-cycle: up for a fifth, then down."""
    max_grad_norm: float = 0.0
    """Norm to which a larger gradient is scaled down; 0 turns it off."""
    epochs: int = 10
    """Passes over the data."""
    batch_size: int = 128
    """Most samples in an update, over all processes; the batches of an epoch are of equal size, give or take one."""
    accumulate: int = 1
    """Parts in which a process takes its share of a batch, where memory is scarce."""
    precision: Literal["no", "fp16", "bf16"] = "no"
    """Mixed precision: no, fp16 or bf16."""
    patience: int = 0
    """Epochs without a better validation loss after which to stop, with the best weights; 0 never stops early."""
    workers: int = 0
    """Processes that read data ahead, for images that are read from disk."""
    device: Literal["auto", "cpu"] = "auto"
    """cpu, or auto: a GPU where there is one."""
    seed: int = 0
    """Root of all randomness of the fit; not of the network's initial weights."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but is {getattr(self, name)}")
        for name in ("patience", "workers", "seed", "weight_decay", "max_grad_norm"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, but is {self.learning_rate}")
        named(self.optimizer, OPTIMIZERS, "optimiser")
        named(self.schedule, SCHEDULES, "schedule")
        if self.loss != "auto":
            named(self.loss, LOSSES, "loss")

    def num_steps(self, num_samples: int) -> int:
        """Returns the steps of a whole fit."""
        return math.ceil(num_samples / self.batch_size) * self.epochs


class Learner:
    """Fits a network to data, evaluates it and predicts with it; the network is changed in place.

    Data are anything with a length that an int64 tensor of indices `[B]` turns into a tuple of tensors, inputs first
    and then targets, such as torch's `TensorDataset`; or a tuple of arrays. `objective` maps the network and a batch to
    losses `[B]` and metrics; by default it is the loss by name, or the network's own `objective(batch)`. `transform`
    is what inputs go through in training, augmentation for instance.

    Raises:
        ValueError: an option is unknown or out of range.
    """

    def __init__(
        self,
        network: nn.Module,
        config: FitConfig | None = None,
        *,
        objective: Callable[[nn.Module, Batch], Losses] | None = None,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.config = c = config or FitConfig()
        self.network = network
        self.step = 0
        self.stopped = False  # by patience
        self.history: list[Metrics] = []  # validation after each epoch
        self._transform = transform
        self._best: tuple[float, int, dict[str, Tensor]] | None = None  # loss, epoch and weights
        partly_used = any(hasattr(network, part) for part in ("reconstruct", "sample"))
        partly_used |= hasattr(network, "objective") and c.loss != "auto"
        self._accelerator = _accelerator(c.precision, c.device, partly_used)
        if getattr(network, "input_rank", 0) == 3:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        chosen = objective or objective_of(network, c.loss)
        learnt = [p for p in network.parameters() if p.requires_grad]
        if not learnt:
            raise ValueError("all of the network's stages are frozen, so there is nothing to fit")
        self._optimizer = optimizer_named(
            c.optimizer, learnt, c.learning_rate, momentum=c.momentum, weight_decay=c.weight_decay
        )
        self._objective = Objective(network, chosen)
        self._module, self._wrapped_optimizer = self._accelerator.prepare(self._objective, self._optimizer)

    def fit(self, data: Any, valid: Any = None) -> Iterator[tuple[int, Metrics]]:
        """Fits, and yields the metrics of each step, and after each epoch those of `valid`; can be stopped anywhere.

        Raises:
            DivergedError: the loss is not finite; the weights are those before the step.
            ValueError: there are fewer samples than needed, or they do not fit the network.
        """
        data, c = as_dataset(data), self.config
        valid = None if valid is None else as_dataset(valid)
        rank, world = self._accelerator.process_index, self._accelerator.num_processes
        total = c.num_steps(len(data))
        per_epoch = total // c.epochs
        while self.step < total and not self.stopped:
            epoch, begin = divmod(self.step, per_epoch)
            wanted = shares(split_evenly(len(data), c.batch_size, c.seed, epoch), rank, world)[begin:]
            for batch, weight in read_batches(data, wanted, c.workers):
                metrics = self._update(batch, weight, done=self.step / total)
                self.step += 1
                if self.step % per_epoch == 0:
                    metrics |= self._end_epoch(epoch, valid)
                yield self.step, metrics
        if c.patience and self._best is not None:
            self.network.load_state_dict(self._best[2])
        self._accelerator.wait_for_everyone()

    @torch.no_grad()
    def evaluate(self, data: Any) -> Metrics:
        """Returns the mean loss and metrics over data; processes share the work."""
        self.network.eval()
        data, sums, seen = as_dataset(data), dict[str, float](), 0
        for indices in self._own_part(len(data)):
            with self._accelerator.autocast():
                losses, metrics = self._objective(*self._on_device(data[indices]))
            _add(sums, {"loss": losses, **metrics}, 1.0)
            seen += len(indices)
        count, *total = self._sum([float(seen), *sums.values()])
        return {name: value / count for name, value in zip(sums, total, strict=True)}

    @torch.no_grad()
    def predict(self, data: Any) -> Tensor:
        """Returns the network's outputs `[N, ...]` for the inputs of data, on the CPU; processes share the work."""
        self.network.eval()
        data, parts = as_dataset(data), []
        for indices in self._own_part(len(data)):
            with self._accelerator.autocast():
                output = self.network(*self._on_device(data[indices][:1]))
            parts.append((indices, output.float().cpu()))
        parts = gather_object(parts)
        order = torch.cat([indices for indices, _ in parts]).argsort()
        return torch.cat([output for _, output in parts])[order]

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on: nested dicts of tensors, numbers and strings."""
        best = self._best
        return {
            "step": self.step,
            "stopped": self.stopped,
            "history": self.history,
            "network": {name: snapshot(value) for name, value in self.network.state_dict().items()},
            "scaler": self._accelerator.scaler.state_dict() if self._accelerator.scaler else {},
            "optimizer": optimizer_state(self._optimizer, self.network.parameters()),
            **({"best": {"loss": best[0], "epoch": best[1], "network": best[2]}} if best else {}),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave; arrays may come as NumPy's."""
        weights = {name: torch.as_tensor(value) for name, value in state["network"].items()}
        self.network.load_state_dict(weights)
        restore_optimizer(self._optimizer, self.network.parameters(), state["optimizer"])
        self.step, self.stopped, self.history = int(state["step"]), bool(state["stopped"]), list(state["history"])
        if state["scaler"] and self._accelerator.scaler:
            self._accelerator.scaler.load_state_dict(state["scaler"])
        if "best" in state:
            best = state["best"]
            network = {name: torch.as_tensor(value) for name, value in best["network"].items()}
            self._best = float(best["loss"]), int(best["epoch"]), network

    def _update(self, batch: Batch, weight: float, done: float) -> Metrics:
        """Makes a step and returns what it saw; `done` is the fraction of the fit that lies behind."""
        c = self.config
        torch.manual_seed(_seed(c.seed, self.step, self._accelerator.process_index))
        train_mode(self._module)
        self._wrapped_optimizer.zero_grad()
        batch = self._on_device(batch)
        if self._transform is not None:
            batch = (self._transform(batch[0]), *batch[1:])
        sums: dict[str, float] = {}
        parts = list(zip(*(x.tensor_split(min(c.accumulate, len(x))) for x in batch), strict=True))
        for i, part in enumerate(parts):
            with self._accelerator.no_sync(self._module) if i + 1 < len(parts) else nullcontext():
                with self._accelerator.autocast():
                    losses, metrics = self._module(*part)
                _add(sums, {"loss": losses, **metrics}, weight)
                self._accelerator.backward(losses.sum() * weight)
        world = self._accelerator.num_processes
        seen = {f"train/{name}": value / world for name, value in zip(sums, self._sum(sums.values()), strict=True)}
        if not math.isfinite(seen["train/loss"]):
            raise DivergedError(
                f"the loss became {seen['train/loss']} at step {self.step + 1}; a smaller learning rate may help"
            )
        if c.max_grad_norm:
            self._accelerator.clip_grad_norm_(self.network.parameters(), c.max_grad_norm)
        self._optimizer.param_groups[0]["lr"] = c.learning_rate * SCHEDULES[c.schedule](done)
        self._wrapped_optimizer.step()
        return seen

    def _end_epoch(self, epoch: int, valid: Any) -> Metrics:
        if valid is None:
            return {"train/epoch": epoch + 1.0}
        metrics = self.evaluate(valid)
        self.history.append(metrics)
        if self.config.patience:
            if self._best is None or metrics["loss"] < self._best[0]:
                weights = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
                self._best = metrics["loss"], epoch, weights
            self.stopped = epoch - self._best[1] >= self.config.patience
        return {"train/epoch": epoch + 1.0, **{f"valid/{name}": value for name, value in metrics.items()}}

    def _own_part(self, num_samples: int) -> list[Tensor]:
        own = torch.arange(self._accelerator.process_index, num_samples, self._accelerator.num_processes)
        return [part for part in torch.split(own, self.config.batch_size) if len(part)]

    def _on_device(self, batch: Batch) -> Batch:
        return tuple(x.to(self._accelerator.device, non_blocking=True) for x in batch)

    def _sum(self, values: Iterable[float]) -> list[float]:
        """Adds up what the processes have counted."""
        tensor = torch.tensor(list(values), dtype=torch.float64, device=self._accelerator.device)
        total: list[float] = self._accelerator.reduce(tensor, "sum").tolist()
        return total


def _add(sums: dict[str, float], values: dict[str, Tensor], weight: float) -> None:
    for name, value in values.items():
        sums[name] = sums.get(name, 0.0) + float(value.detach().double().sum()) * weight


def _seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _accelerator(precision: str, device: str, partly_used: bool) -> Accelerator:
    """Makes the accelerator; its library keeps the precision of the first one in a process, which is forgotten here."""
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != precision:
        AcceleratorState._reset_state()
    parallel = DistributedDataParallelKwargs(find_unused_parameters=partly_used)  # as decoders of classifiers are
    accelerator = Accelerator(mixed_precision=precision, cpu=device == "cpu", kwargs_handlers=[parallel])
    if accelerator.num_processes > 1:
        atexit.register(_leave_group)
    return accelerator


def _leave_group() -> None:
    """Leaves the other processes, and waits until the threads that talked to them have let go of their last tensors.

    Where they do so while the interpreter ends, it aborts (pytorch/pytorch#179291), one time in five.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        time.sleep(0.3)
