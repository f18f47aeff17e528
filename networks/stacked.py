"""Greedy training of a deep autoencoder, layer by layer, before all of it is fine-tuned.

Bengio, Lamblin, Popovici and Larochelle, "Greedy layer-wise training of deep networks", NIPS 19 (2007), section 4;
with the network's `noise` a stack of denoising autoencoders (Vincent et al. 2010). Each layer's own decoder becomes a
layer of the deep network's decoder, as in Hinton and Salakhutdinov (2006), so that the unrolled network reconstructs.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from palestra.networks.autoencoder import RECONSTRUCTION, Autoencoder, corrupted, kl_sparsity
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.mlp import as_vectors
from palestra.networks.objectives import Losses


class Layer(nn.Module):
    """A layer of an autoencoder, its k-th from 0, and its mirror image, as an autoencoder of what comes before it.

    The layers are the deep network's own, not copies; those before are constants. Outputs of layers are
    reconstructed with the squared error, inputs with the deep network's loss.

    Raises:
        ValueError: the encoder is no mlp, or has no such layer.
    """

    def __init__(self, network: Autoencoder, k: int) -> None:
        super().__init__()
        num_layers = count_layers(network)
        if not 0 <= k < num_layers:
            raise ValueError(f"layer {k} was asked for, but the encoder has {num_layers}")
        encoder: Any = network.encoder.features
        decoder: Any = network.decoder
        length, mirror = len(encoder) // num_layers, 2 * (num_layers - 1 - k)
        self.pixels = network.pixels
        self.before = encoder[: k * length].requires_grad_(False)
        self.encoder = encoder[k * length : (k + 1) * length]
        self.decoder = decoder[mirror : mirror + 2]
        self.reads_inputs = k == 0
        self.target = network.target
        self.loss = network.reconstruction_loss if k == 0 else RECONSTRUCTION["squared", "identity"]
        self.noise, self.noise_level = network.noise, network.noise_level
        self.sparsity = network.sparsity if k == num_layers - 1 else None
        self.sparsity_weight = network.sparsity_weight

    def train(self, mode: bool = True) -> "Layer":
        """Sets training mode, but for the layers before."""
        super().train(mode)
        self.before.eval()
        return self

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns losses `[B]` and metrics `[B]` of the reconstruction of what comes before the layer."""
        clean = self.target(batch[0])
        if not self.reads_inputs:
            clean = self.before(as_vectors(self, clean))
        code = self.encoder(as_vectors(self, self._corrupted(clean)))
        loss = self.loss(self.decoder(code), clean)
        metrics = {"reconstruction": loss.detach()}
        if self.sparsity is not None:
            penalty = kl_sparsity(code, self.sparsity)
            loss = loss + self.sparsity_weight * penalty
            metrics["sparsity"] = penalty.detach().expand(len(clean))
        return loss, metrics

    def _corrupted(self, x: Tensor) -> Tensor:
        return corrupted(x, self.noise, self.noise_level) if self.noise and self.training else x


def count_layers(network: Autoencoder) -> int:
    """Returns the layers of an autoencoder's encoder.

    Raises:
        ValueError: the encoder is no mlp.
    """
    if network.encoder.config["network"] != "mlp":  # type: ignore[index]
        raise ValueError("layer-wise training is of fully connected layers; take the encoder mlp")
    return len(network.encoder.stages)  # type: ignore[arg-type]


def pretrain_layers(
    network: Autoencoder, data: Any, config: FitConfig | None = None
) -> Iterator[tuple[int, dict[str, float]]]:
    """Fits an autoencoder layer by layer, in place, each with `config`, and yields the metrics of each step.

    `data` are as `Learner` takes them; labels are not used. The metric `train/layer` counts from 1.

    Raises:
        ValueError: the encoder is no mlp, or the data do not fit it.
    """
    config = config or FitConfig()
    config = dataclasses.replace(config, loss="auto")
    learnt = [p for p in network.parameters() if p.requires_grad]
    begin = 0
    for k in range(count_layers(network)):
        step = 0
        try:
            for step, metrics in Learner(Layer(network, k), config).fit(data):
                yield begin + step, {**metrics, "train/layer": k + 1.0}
        finally:
            for parameter in learnt:
                parameter.requires_grad_(True)
        begin += step
