"""Several classifiers on one trunk (Caruana, "Multitask learning", Machine Learning 28, 1997)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.losses import hits
from palestra.networks.objectives import Losses
from palestra.networks.stages import stages_of


class MultiTask(nn.Module):
    """A network by name as trunk, and a linear layer for each of `tasks`, by name and number of classes.

    The output is the tasks' logits side by side, `[B, num_classes]`: `num_classes` is the sum of the tasks' classes,
    and `split` parts them. With `num_classes` alone there is one task, `class`; with neither the output is the trunk's
    features. `weights` are those of the tasks' losses, 1 by default; `options` are the trunk's.

    Raises:
        ValueError: a task has an odd name or no classes, the numbers do not add up, or a weight is wrong.
    """

    input_rank: int = 3  # that of the trunk
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        trunk: str = "convnet",
        tasks: Mapping[str, int] | None = None,
        weights: Mapping[str, float] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.tasks = dict(tasks or ({} if num_classes is None else {"class": num_classes}))
        _check_tasks(self.tasks, num_classes, weights or {})
        self.weights = {task: float((weights or {}).get(task, 1.0)) for task in self.tasks}
        self.trunk = create(trunk, in_channels=in_channels, **options)
        self.input_rank = self.trunk.input_rank  # type: ignore[assignment]
        self.num_features = int(self.trunk.num_features)  # type: ignore[arg-type]
        self.stages = tuple(f"trunk.{stage}" for stage in stages_of(self.trunk))
        self.head = nn.ModuleDict({task: nn.Linear(self.num_features, size) for task, size in self.tasks.items()})

    @property
    def pixels(self) -> Any:
        """How images come into the trunk."""
        return self.trunk.pixels

    def forward(self, x: Tensor) -> Tensor:
        """Maps inputs `[B, ...]` to the logits of all tasks, `[B, num_classes]`, or to features."""
        features: Tensor = self.trunk(x)
        return torch.cat([layer(features) for layer in self.head.values()], dim=1) if self.tasks else features

    def split(self, output: Tensor) -> dict[str, Tensor]:
        """Parts an output `[B, num_classes]` into the logits of each task."""
        return dict(zip(self.tasks, torch.split(output, list(self.tasks.values()), dim=1), strict=True))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the weighted sum of the tasks' cross-entropies, `[B]`, and each one's accuracy and loss.

        A batch is `(x, y)` with labels `[B, N]`, or `[B]` for one task, or `(x, y_1, ..., y_N)`, in the tasks' order.

        Raises:
            ValueError: there are not as many labels as tasks, or one is no class.
        """
        labels = _labels(batch[1:], list(self.tasks))
        losses, metrics = torch.zeros(len(batch[0]), device=batch[0].device), dict[str, Tensor]()
        for task, logits in self.split(self(batch[0])).items():
            label = labels[task]
            if not 0 <= int(label.min()) <= int(label.max()) < self.tasks[task]:
                wrong = int(label.min() if label.min() < 0 else label.max())
                raise ValueError(f"labels of {task} must be from 0 to {self.tasks[task] - 1}, but {wrong} was given")
            loss = F.cross_entropy(logits, label, reduction="none")
            losses = losses + self.weights[task] * loss
            metrics |= {f"{task}_loss": loss.detach(), f"{task}_accuracy": hits(logits, label)}
        return losses, metrics


def _labels(targets: Sequence[Tensor], tasks: Sequence[str]) -> dict[str, Tensor]:
    """Returns the labels `[B]` of each task."""
    if len(targets) == 1:
        targets = targets[0].reshape(len(targets[0]), -1).unbind(dim=1)
    if not tasks or len(targets) != len(tasks):
        raise ValueError(f"the tasks are {', '.join(tasks) or 'none'}, but labels came for {len(targets)}")
    return dict(zip(tasks, targets, strict=True))


def _check_tasks(tasks: Mapping[str, int], num_classes: int | None, weights: Mapping[str, float]) -> None:
    odd = [task for task in tasks if not task.isidentifier() or hasattr(nn.ModuleDict, task)]
    if odd:
        raise ValueError(f"a task must have a plain name, but {odd[0]!r} was given")
    if any(size < 2 for size in tasks.values()):
        raise ValueError(f"every task must have at least two classes, but tasks are {dict(tasks)}")
    if num_classes is not None and sum(tasks.values()) != num_classes:
        raise ValueError(f"the tasks {dict(tasks)} have {sum(tasks.values())} classes together, not {num_classes}")
    for task, weight in weights.items():
        if task not in tasks or weight < 0:
            raise ValueError(f"weights are numbers from 0 for {', '.join(tasks)}, but {task}: {weight} was given")
