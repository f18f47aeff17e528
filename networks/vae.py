"""Variational autoencoders: a code for each sample, a bound on its probability, and samples from codes.

Kingma and Welling, "Auto-encoding variational Bayes" (2014), with the weight of Higgins et al., "beta-VAE" (2017), and
the importance-weighted bound of Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders" (2016). All outputs
are probabilities of levels, so that bounds in nats can be compared with those of other models.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.autoencoder import deconvolutions, mirrored
from palestra.networks.chance import normal, uniform
from palestra.networks.density import Bound, as_floats, checked_condition, checked_input, checked_request, device_of
from palestra.networks.names import named
from palestra.networks.objectives import Losses
from palestra.networks.stages import stages_of

AT_ONCE = 2**22  # numbers of outputs that are looked at together where there are many draws


class VAE(nn.Module):
    """A VAE on vectors, or on images with `image_size`, of `levels` values, with a code of `num_latent` numbers.

    The encoder is the mlp with layers `hidden`, none of them for `linear`, or by name a network on images, with a
    decoder of transposed convolutions; `encoder_options` are the encoder's. `output` is bernoulli (two levels),
    gaussian or logistic: of a number's level, what these distributions have within half a step of it, with a mean for
    each number and one learnt scale a channel. `beta` weighs the divergence of codes from their prior in the objective,
    which with `num_importance` above 1 is the importance-weighted bound of so many draws instead. Classes, if any, go
    to the code and to the decoder.

    Raises:
        ValueError: an option is unknown or out of range, or does not go with another.
    """

    input_rank: int = 3  # 1 without image_size
    heads: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        image_size: Sequence[int] | None = None,
        levels: int = 2,
        encoder: str = "mlp",
        hidden: Sequence[int] = (400,),
        num_latent: int = 20,
        output: str = "bernoulli",
        beta: float = 1.0,
        num_importance: int = 1,
        **encoder_options: Any,
    ) -> None:
        super().__init__()
        self.shape, self.levels, self.num_classes = (in_channels, *(image_size or ())), levels, num_classes
        self.input_rank, self.num_features = len(self.shape), num_latent
        named(output, OUTPUTS, "output")
        if output == "bernoulli" and levels != 2:
            raise ValueError(f"output bernoulli is of 2 levels, but levels is {levels}: gaussian or logistic is wanted")
        if min(num_latent, num_importance, levels - 1) < 1 or not 0 <= beta < math.inf:
            given = f"num_latent {num_latent}, num_importance {num_importance}, levels {levels} and beta {beta}"
            raise ValueError(f"{given} are given, but at least 1, 1, 2 and 0 are wanted")
        self.beta, self.num_importance, self.log_of = beta, num_importance, OUTPUTS[output]
        if image_size:
            encoder_options["image_size"] = self.shape[1:]
        hidden = () if encoder == "linear" else tuple(hidden)
        if encoder in ("linear", "mlp"):
            options = {"hidden": hidden, **encoder_options}
            self.encoder = create("mlp", in_channels=in_channels, **options) if hidden else _flat()
            width = hidden[-1] if hidden else math.prod(self.shape)
        else:
            self.encoder = create(encoder, in_channels=in_channels, **encoder_options)
            width = int(self.encoder.num_features)  # type: ignore[arg-type]
        classes = num_classes or 0
        self.code = nn.Linear(width + classes, 2 * num_latent)
        if encoder in ("linear", "mlp"):
            self.decoder = mirrored(self.shape, (*hidden, num_latent + classes), "relu")
        else:
            self.decoder = deconvolutions(num_latent + classes, self.shape)
        self.log_scale = nn.Parameter(torch.full((in_channels, *[1] * (self.input_rank - 1)), -2.0))
        self.stages = (*(f"encoder.{stage}" for stage in stages_of(self.encoder)), "code")

    def posterior(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maps samples `[B, ...]` to means and logarithms of variances `[B, num_latent]` of their codes."""
        return self._posterior(*checked_input(self, x, condition))

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps samples `[B, ...]` to the means `[B, num_latent]` of their codes."""
        return self.posterior(x, condition)[0]

    def decode(self, code: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps codes `[B, num_latent]` to the means `[B, ...]` of samples, floats in [0, 1]."""
        return self._means(self._outputs(code, checked_condition(self, condition, len(code))))

    def reconstruct(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns `decode(encode(x))`, `[B, ...]`."""
        return self.decode(self.encode(x, condition), condition)

    def forward(self, x: Tensor) -> Tensor:
        """Maps samples `[B, ...]` to the means of their codes, as features."""
        return self.encode(x)

    def log_prob(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        *,
        num_draws: int = 64,
        generator: torch.Generator | None = None,
    ) -> Bound:
        """Returns the importance-weighted bound of `num_draws` codes (Burda et al. 2016, equation 8), `[B]`.

        With one draw it is an unbiased estimate of the evidence lower bound, with more it rises to the log-probability.
        """
        levels, condition = checked_input(self, x, condition)
        mean, log_var = self._posterior(levels, condition)
        part = max(1, AT_ONCE // levels.numel())
        done, weights = 0, []
        while done < num_draws:
            draws = min(part, num_draws - done)
            weights.append(self._log_weights(levels, mean, log_var, condition, draws, generator))
            done += draws
        return Bound(torch.logsumexp(torch.cat(weights), dim=0) - math.log(num_draws))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the negative bounds `[B]` of a batch `(x,)` or `(x, label)`, and what they consist of.

        With one draw the divergence is exact; codes are drawn from torch's global generator.
        """
        levels, condition = checked_input(self, batch[0], batch[1] if self.num_classes else None)
        mean, log_var = self._posterior(levels, condition)
        divergence = 0.5 * (mean.square() + log_var.exp() - 1.0 - log_var).sum(dim=1)
        if self.num_importance > 1:
            weights = self._log_weights(levels, mean, log_var, condition, self.num_importance, None)
            bound = torch.logsumexp(weights, dim=0) - math.log(self.num_importance)
            return -bound, {"divergence": divergence.detach(), "nats": -bound.detach()}
        code = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        likelihood = self._log_likelihood(levels, self._outputs(code, condition))
        loss = self.beta * divergence - likelihood
        return loss, {"divergence": divergence.detach(), "nats": (divergence - likelihood).detach()}

    @torch.inference_mode()
    def sample(
        self,
        n: int,
        condition: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        means: bool = False,
    ) -> Tensor:
        """Draws samples `[n, ...]`, floats in [0, 1], or with `means` those of the outputs of codes that are drawn."""
        checked_request(n, self.shape)
        code = normal((n, self.num_features), device_of(self), generator)
        outputs = self._outputs(code, checked_condition(self, condition, n))
        if means:
            return self._means(outputs)
        return as_floats(self._drawn(outputs, generator), self.levels)

    def _posterior(self, levels: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        features = self.encoder(as_floats(levels, self.levels))
        mean, log_var = self.code(self._joined(features, condition)).chunk(2, dim=1)
        return mean, log_var

    def _outputs(self, code: Tensor, condition: Tensor | None) -> Tensor:
        return self.decoder(self._joined(code, condition))  # type: ignore[no-any-return]

    def _joined(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Appends classes, as one-hot vectors, where there are such."""
        if condition is None:
            return x
        return torch.cat([x, F.one_hot(condition, self.num_classes or 0).to(x.dtype)], dim=1)

    def _log_likelihood(self, levels: Tensor, outputs: Tensor) -> Tensor:
        """Returns log p(x | code) `[B]`."""
        return self.log_of(levels, outputs, self.log_scale, self.levels).flatten(1).sum(dim=1)

    def _log_weights(
        self,
        levels: Tensor,
        mean: Tensor,
        log_var: Tensor,
        condition: Tensor | None,
        draws: int,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Returns log p(x, code) - log q(code | x) `[draws, B]` of codes drawn from q."""
        noise = normal((draws, *mean.shape), mean.device, generator)
        code = mean + noise * (0.5 * log_var).exp()
        of_code = 0.5 * (noise.square() + log_var - code.square()).sum(dim=2)  # log prior - log q
        repeated = levels.expand(draws, *levels.shape).flatten(0, 1)
        labels = None if condition is None else condition.repeat(draws)
        likelihood = self._log_likelihood(repeated, self._outputs(code.flatten(0, 1), labels))
        return likelihood.view(draws, -1) + of_code

    def _means(self, outputs: Tensor) -> Tensor:
        return torch.sigmoid(outputs)

    def _drawn(self, outputs: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draws levels `[B, ...]` from outputs."""
        draws = uniform(outputs.shape, outputs.device, generator)
        total = torch.zeros_like(outputs)
        level = torch.zeros_like(outputs, dtype=torch.int64)
        for k in range(self.levels - 1):  # how many levels lie below the uniform number
            total += self.log_of(torch.full_like(level, k), outputs, self.log_scale, self.levels).exp()
            level += total <= draws
        return level


def _flat() -> nn.Module:
    """Returns an encoder without weights."""
    flat = nn.Flatten()
    flat.stages = ()  # type: ignore[assignment]
    return flat


def _bernoulli(levels: Tensor, outputs: Tensor, log_scale: Tensor, num_levels: int) -> Tensor:
    return -F.binary_cross_entropy_with_logits(outputs, levels.to(outputs.dtype), reduction="none")


def _discretised(log_cdf: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor, int], Tensor]:
    """Returns the log-probabilities of levels by a symmetric distribution's log-cdf, with means sigmoid(outputs).

    The lowest level has all that lies below it as well, the highest all above.
    """

    def log_of(levels: Tensor, outputs: Tensor, log_scale: Tensor, num_levels: int) -> Tensor:
        half = 0.5 / (num_levels - 1)
        offset, inverse = as_floats(levels, num_levels) - torch.sigmoid(outputs), torch.exp(-log_scale)
        upper, lower = (offset + half) * inverse, (offset - half) * inverse
        flip = lower + upper > 0  # by symmetry cdf(u) - cdf(l) = cdf(-l) - cdf(-u), exact in the lower tail
        high, low = torch.where(flip, -lower, upper), torch.where(flip, -upper, lower)
        above, below = log_cdf(high), log_cdf(low)
        inside = above + torch.log(-torch.expm1((below - above).clamp(max=-1e-12)))
        inside = torch.where(levels == 0, log_cdf(upper), inside)
        return torch.where(levels == num_levels - 1, log_cdf(-lower), inside)

    return log_of


OUTPUTS: dict[str, Callable[[Tensor, Tensor, Tensor, int], Tensor]] = {  # log-probabilities of levels
    "bernoulli": _bernoulli,
    "gaussian": _discretised(torch.special.log_ndtr),
    "logistic": _discretised(F.logsigmoid),
}
