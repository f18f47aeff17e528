"""The pages are true: what they link to is there, what they show runs, and every command that they name exists."""

import re
from pathlib import Path

import pytest

from palestra.cli import markov_text
from palestra.cli.main import COMMANDS
from palestra.networks import MODELS, NETWORKS

ROOT = Path(__file__).parents[2]
PAGES = [path for path in ROOT.rglob("*.md") if not {".venv", "runs", ".git"} & set(path.relative_to(ROOT).parts[:-1])]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_networks_exist(page: Path) -> None:
    for words in re.findall(r"^(?:\$ )?palestra ([a-z-]+)(?: ([a-z0-9_-]+))?", page.read_text(), flags=re.MULTILINE):
        assert words[0] in COMMANDS, f"{page.name} shows palestra {words[0]}"
        if words[0] == "fit" and words[1]:
            assert words[1] in {*NETWORKS, *MODELS, markov_text.NAME}, f"{page.name} fits {words[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_the_library_examples_of_the_readme_run(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    block = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)[number]
    exec(compile(block, "README.md", "exec"), {})
    assert 0.0 < float(capsys.readouterr().out) <= 1.0
