"""Scores of models: means, standard errors and bits by hand, in batches, and of what kind they are."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from palestra.generative.scores import score
from palestra.networks import create
from palestra.networks.batches import as_dataset


def a_model(name: str = "nade", **options: Any) -> Any:
    torch.manual_seed(0)
    return create(name, in_channels=5, **options)


def vectors(n: int) -> Tensor:
    return torch.randint(2, (n, 5), generator=torch.Generator().manual_seed(0)).float()


def test_a_score_by_hand_and_in_batches() -> None:
    model, x, done = a_model(), vectors(11), list[int]()
    nats = -model.log_prob(x).nats.detach().double().numpy()
    found = score(model, as_dataset(x), batch_size=4, note=done.append)
    assert found.nats == pytest.approx(nats.mean(), rel=1e-6)
    assert found.error == pytest.approx(nats.std(ddof=1) / math.sqrt(11), rel=1e-5)
    assert found.bits_per_dim == pytest.approx(nats.mean() / (5 * math.log(2)), rel=1e-6)
    assert (found.kind, found.count, done) == ("exact", 11, [4, 8, 11])
    assert str(found).startswith(f"{nats.mean():.2f} nats a sample (standard error ")
    assert np.isnan(score(model, as_dataset(x[:1])).error)


def test_bounds_and_estimates_are_called_so() -> None:
    bound = score(a_model("vae", num_latent=2), as_dataset(vectors(3)), num_draws=2)
    assert bound.kind == "lower bound"
    assert str(bound).startswith("at most ")


def test_classes_are_given_and_the_mode_comes_back() -> None:
    model, x, labels = a_model(num_classes=2).train(), vectors(6), torch.arange(6) % 2
    torch.nn.init.normal_(model.of_class.weight)
    expected = -model.log_prob(x, labels).nats.detach().mean()
    assert score(model, as_dataset((x, labels))).nats == pytest.approx(float(expected), rel=1e-6)
    assert model.training


def test_what_has_no_likelihood_is_refused() -> None:
    mlp = create("mlp", in_channels=5)
    with pytest.raises(ValueError, match="a MLP has no likelihood"):
        score(mlp, as_dataset(vectors(2)))
