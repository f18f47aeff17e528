"""The package is one thing: it installs as `palestra` alone, and imports go down only."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("agents", "cli", "envs", "generative", "networks", "perception")
MAY_IMPORT = {  # design: cli above agents above perception and generative above networks; envs knows none of them
    "cli": {"cli", "agents", "perception", "generative", "networks", "envs"},
    "agents": {"agents", "perception", "generative", "networks", "envs"},
    "perception": {"perception", "networks", "envs"},
    "generative": {"generative", "networks", "envs"},
    "networks": {"networks"},
    "envs": {"envs"},
}


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("part", PARTS)
def test_imports_go_down_only_and_are_absolute(part: str) -> None:
    for path in (ROOT / part).rglob("*.py"):
        for name in imported_modules(path):
            words = name.split(".")
            assert words[0] not in PARTS, f"{path.name} imports {name}, not palestra.{name}"
            if words[0] == "palestra" and len(words) > 1:
                assert words[1] in MAY_IMPORT[part], f"{path.name} imports {name}, which lies above it"


def test_the_wheel_holds_palestra_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"palestra"}
    assert {name.split("/")[1] for name in names if name.startswith("palestra/")} == set(PARTS)


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="/").stdout


def test_bare_names_are_not_imported() -> None:
    code = "import sys, palestra.cli.train; print(*[m for m in sys.modules if m.split('.')[0] in %r])" % (PARTS,)  # noqa: UP031
    assert run_python(code).split() == []


@pytest.mark.parametrize("module", ["agents.q_learning", "agents.value_iteration", "cli.train", "cli.evaluate"])
def test_tabular_agents_do_not_import_torch(module: str) -> None:
    assert run_python(f"import sys, palestra.{module}; print('torch' in sys.modules)").strip() == "False"


def test_the_help_imports_nothing_heavy() -> None:
    code = "import sys; from palestra.cli.main import main; main([]); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd="/")
    assert {"numpy", "tyro", "torch", "gymnasium"} & set(done.stderr.split()) == set()
