"""The lessons are scripts, not modules: each test file of one gets it loaded."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

LESSONS = Path(__file__).parents[2] / "docs" / "lessons"


@pytest.fixture
def lesson(request: pytest.FixtureRequest) -> ModuleType:
    """The lesson that a test file is named after, loaded anew, so that a test may change it."""
    name = request.path.stem.removeprefix("test_")
    spec = importlib.util.spec_from_file_location(name, LESSONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
