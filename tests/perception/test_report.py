import base64
import re

import pytest
import torch

from palestra.networks import create
from palestra.perception.report import PICTURES, Subject, all_maps, page, picture_named
from palestra.perception.scores import OnImages, Unit
from tests.perception.toys import bars, trained


def subject(**changes: object) -> Subject:
    x, y, _ = bars(60, seed=3)
    given: dict[str, object] = {
        "network": trained(),
        "images": x[:3],
        "titles": ["a", "b", "c"],
        "classes": ["lying", "standing", "slanting"],
        "many": x,
        "labels": y,
        "label_names": ["lying", "standing", "slanting"],
    }
    return Subject(**(given | changes))  # type: ignore[arg-type]


def test_a_page_holds_every_picture_and_needs_no_other_file() -> None:
    told: list[str] = []
    text = page("a <network>", subject(), list(PICTURES), told.append)
    assert len(told) == len(PICTURES)
    pictures = re.findall(r'<img alt="" src="data:image/png;base64,([^"]+)">', text)
    assert len(pictures) == len(PICTURES)
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert "a &lt;network&gt;" in text
    assert "http" not in text


def test_a_page_says_what_it_leaves_out_and_why() -> None:
    network = OnImages(create("mlp", in_channels=400, num_classes=3, activation="tanh"))
    text = page("x", subject(network=network), ["saliency", "deconvolution", "grad-cam"], lambda _: None)
    assert text.count("<img") == 1
    assert "it runs no nn.ReLU" in text
    assert "wants a stage with maps" in text
    with pytest.raises(ValueError, match=r"it runs no nn.ReLU"):
        page("x", subject(network=network), ["deconvolution"], lambda _: None)


def test_all_maps_stand_beside_each_other_without_those_that_cannot_be() -> None:
    assert len(all_maps(subject(), lambda _: None).axes) == 3 * 9
    told: list[str] = []
    network = OnImages(create("mlp", in_channels=400, num_classes=3))
    assert len(all_maps(subject(network=network), told.append).axes) == 3 * 7
    assert [line.split(" is left out")[0] for line in told] == ["grad-cam", "guided-grad-cam"]


@pytest.mark.parametrize("name", PICTURES)
def test_units_take_the_place_of_classes(name: str) -> None:
    explained = subject(target=Unit("relu2", 5), classes=(), many=bars(60)[0], labels=None, stage="relu2")
    if name == "perturbation":
        torch.manual_seed(0)
    assert picture_named(name).draw(explained).axes


@pytest.mark.parametrize("name", ["saliency", "grad-cam", "maximisation"])
def test_without_classes_a_unit_is_wanted(name: str) -> None:
    with pytest.raises(ValueError, match="give --stage and --unit"):
        picture_named(name).draw(subject(classes=()))


def test_an_unknown_picture_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean patches"):
        picture_named("patch")
