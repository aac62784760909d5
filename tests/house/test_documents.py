"""What documents tell people to do can be done."""

import re
from pathlib import PurePosixPath

from tests.house.tree import ROOT, files, text

DOCUMENTS = [name for name in files() if name.endswith(".md")]
COMMAND = re.compile(r"(?:^ *|`)(?:\w+=\S+ )*make ((?:[a-z-]+ ?)+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def targets() -> dict[str, str]:
    """What the Makefile offers, with its help."""
    return dict(re.findall(r"^([a-z-]+):.*?## (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_commands_in_documents_exist() -> None:
    """Every `make …` that is shown is a target."""
    shown = {
        (name, word) for name in DOCUMENTS for group in COMMAND.findall(text(name) or "") for word in group.split()
    }
    assert {(name, word) for name, word in shown if word not in targets()} == set()


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link names a file in the tree."""
    links = [(name, link) for name in DOCUMENTS for link in LINK.findall(text(name) or "") if "://" not in link]
    assert [(name, link) for name, link in links if not (ROOT / PurePosixPath(name).parent / link).exists()] == []


def test_every_target_explains_itself() -> None:
    """`make` alone lists each target with one line."""
    source = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", source, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets().keys()


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    """Whoever changes behaviour finds where to write the consequence."""
    assert "## Unreleased" in (text("CHANGELOG.md") or "")


def test_decisions_are_a_page_at_most() -> None:
    """Each says what was decided, why, and what follows, within sixty lines."""
    decisions = [name for name in DOCUMENTS if re.fullmatch(r"docs/decisions/\d{4}-[a-z-]+\.md", name)]
    assert decisions
    for name in decisions:
        content = text(name) or ""
        assert len(content.splitlines()) <= 60, name
        assert all(f"## {part}" in content for part in ("Decision", "Why", "Consequences")), name
