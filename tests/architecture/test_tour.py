"""The tour and every other page lead to what is there, and the tour's commands print what it says."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "docs" / "tour.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
NAMED = re.findall(r"\[`([\w.]+)`\]\((\.\./src/[^)]+\.py)\)", TOUR.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_within_the_repository_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []


@pytest.mark.parametrize(("name", "place"), NAMED)
def test_every_name_in_the_tour_is_defined_where_its_link_leads(name: str, place: str) -> None:
    body = ast.parse((TOUR.parent / place).read_text(encoding="utf-8")).body
    for part in name.split("."):
        [found] = [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part]
        body = found.body


def test_the_tour_meets_every_folder_on_the_datas_road() -> None:
    folders = {
        "envs",
        "policies",
        "rollout",
        "learn",
        "model",
        "training",
        "evaluation",
        "store",
        "analysis",
        "study",
        "reporting",
    }
    assert folders <= {Path(place).parts[3] for _, place in NAMED}


@pytest.mark.slow
def test_the_tours_commands_print_what_it_says(run_page: Callable[..., None]) -> None:
    run_page(TOUR)
