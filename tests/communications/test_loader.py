"""Folders become a policy, mistakes become file and line, and a new type needs no code."""

import shutil
from pathlib import Path

import pytest

from streams.communications.loader import FOLDER, load, load_cases
from streams.core.cases import differences, run
from streams.errors import Misconfigured


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped communication types, free to be changed."""
    target = tmp_path / "communications"
    shutil.copytree(FOLDER, target, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return target


def change(path: Path, old: str, new: str) -> None:
    """Replace one text in a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_what_is_shipped_is_valid() -> None:
    """The four types of this version load without a mistake."""
    assert set(load().rules) == {"order_confirmation", "shipment_notice", "order_cancelled", "cart_reminder"}


def test_the_same_files_are_the_same_version(folder: Path) -> None:
    """The version follows what the files say, not where they are or how they are commented."""
    assert load(folder).version == load().version
    (folder / "policy.yaml").write_text("# a comment\n" + (folder / "policy.yaml").read_text("utf-8"), "utf-8")
    assert load(folder).version == load().version
    change(folder / "order_cancelled/template/en.yaml", "was cancelled", "has been cancelled")
    assert load(folder).version != load().version


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("order_confirmation/rule.yaml", "field: status", "field: stauts", "rule.yaml:7: trigger.when.0.field"),
        ("order_confirmation/rule.yaml", "PLACED", "PLACD", "rule.yaml:7: trigger.when.0.in"),
        (
            "order_confirmation/rule.yaml",
            "timing: {grace_s: 120}",
            "timing: {grace: 120}",
            "rule.yaml:10: timing.grace",
        ),
        ("shipment_notice/rule.yaml", "order_confirmation", "order_receipt", "there is no communication type"),
        ("order_cancelled/template/en.yaml", "order.number", "order.nubmer", "en.yaml:1"),
        ("order_cancelled/template/en.yaml", "sms:", "fax:", "en.yaml:8: fax"),
        ("policy.yaml", "default:", "shop:", "policy.yaml:3"),
        (
            "cart_reminder/rule.yaml",
            "class: marketing",
            "class: marketing\nclass: service",
            "rule.yaml:2: class is given",
        ),
        ("cart_reminder/rule.yaml", "class: marketing", "class: [", "not YAML"),
        ("cart_reminder/rule.yaml", "consent_purpose: cart_reminder", "", "rule.yaml:1"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(folder: Path, file: str, old: str, new: str, says: str) -> None:
    """Whoever edits a type is led to the line, and nothing runs on half a policy."""
    change(folder / file, old, new)
    with pytest.raises(Misconfigured) as found:
        load(folder)
    assert found.value.code == "bad_policy"
    assert says in found.value.detail


def test_a_mistake_in_a_case_is_told_with_file_and_line(folder: Path) -> None:
    """A golden case that cannot be read names its line."""
    change(folder / "order_cancelled/cases.yaml", "says:", "sais:")
    with pytest.raises(Misconfigured, match=r"order_cancelled/cases\.yaml:\d+: 0\.says"):
        load_cases(folder)
    (folder / "order_cancelled/cases.yaml").write_text("just text", "utf-8")
    with pytest.raises(Misconfigured, match="a list of cases"):
        load_cases(folder)


def test_a_folder_without_types_is_a_mistake(tmp_path: Path) -> None:
    """A wrong path does not quietly decide nothing."""
    with pytest.raises(Misconfigured, match="no communication type"):
        load(tmp_path)


def test_a_missing_file_is_a_mistake(folder: Path) -> None:
    """Settings that cannot be read are told by name."""
    (folder / "policy.yaml").unlink()
    with pytest.raises(Misconfigured, match=r"policy\.yaml: cannot be read"):
        load(folder)


def test_a_new_type_is_one_folder(folder: Path) -> None:
    """A communication type is added by writing files; its golden case runs at once."""
    kind = folder / "order_delivered"
    shutil.copytree(folder / "order_cancelled", kind)
    (kind / "rule.yaml").write_text(
        """
class: service
trigger: {fact: commerce.orders, when: [{field: status, eq: COMPLETED}]}
business_key: [order_ref]
channels: {together: [SMS]}
parent: {type: order_confirmation, key: order_ref}
template: order_delivered
sink: opentext_notifications
""",
        "utf-8",
    )
    (kind / "cases.yaml").write_text(
        """
- id: told
  says: A completed order is told by SMS.
  events: [{at: 0, order: {}}, {at: 500, order: {status: COMPLETED}}]
  expect:
    deliveries:
      - {at: 120, type: order_confirmation, channel: EMAIL}
      - {at: 500, type: order_delivered, channel: SMS}
    decisions:
      - 0 order_confirmation hold(grace)
      - 120 order_confirmation send
      - 500 order_confirmation suppress(duplicate_effect)
      - 500 order_delivered send
""",
        "utf-8",
    )
    (case,) = load_cases(folder)["order_delivered"]
    assert differences(case, run(load(folder), case)) == ()


@pytest.mark.parametrize("kind", sorted(load().rules))
def test_a_type_says_who_when_and_why_lawful(kind: str) -> None:
    """Each folder answers the three questions compliance asks, in the languages it speaks."""
    text = (FOLDER / kind / "README.md").read_text("utf-8")
    assert all(word in text for word in ("**Who**", "**When**", "**Why lawful**"))
    assert {"en", "de"} <= set(load().rules[kind].texts.locales)
