"""What is deployed refers to files, images and metrics that exist."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app
from streams.local import kafka, registry
from streams.runtime.catalog import METRICS
from streams.settings import Settings
from streams.topics import STAGES
from tests.house.tree import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/tidings.json").read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
FOREIGN = {"up", "process_start_time_seconds"}
"""Metrics of Prometheus itself and of its client library."""


def exposed() -> set[str]:
    """Every name a query may use."""
    names = set(FOREIGN)
    for metric in METRICS:
        parts = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {metric.name + part for part in parts}
    return names


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard and the alerts, by where it stands."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]


def test_queries_use_metrics_that_exist() -> None:
    """No panel is empty and no alert silent because a metric was renamed."""
    for where, query in queries():
        used = set(re.findall(r"\b(?:tidings|process)_[a-z_]+|\bup\b", query))
        assert used, where
        assert used - exposed() == set(), where


def test_queries_use_labels_that_exist() -> None:
    """What is grouped by or selected is a label the metrics have."""
    labels = {label for metric in METRICS for label in metric.labels} | {"job", "role", "instance", "le"}
    for where, query in queries():
        grouped = {name.strip() for group in re.findall(r"(?:by|on) \(([^)]*)\)", query) for name in group.split(",")}
        chosen = {name for group in re.findall(r"\{([^}]*)\}", query) for name in re.findall(r"(\w+)\s*[!=]", group)}
        assert grouped | chosen <= labels, where


def test_the_dashboard_has_a_row_per_stage() -> None:
    """Rows are the seven words, in the order of the flow."""
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert tuple(row for row in rows if row in STAGES) == STAGES


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_happens_and_what_to_do(rule: dict[str, Any]) -> None:
    """Whoever is woken up reads a sentence about the effect and one about the next step."""
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() >= {"summary", "action"}


def test_compose_refers_to_files_that_exist() -> None:
    """Mounted folders, the image's recipe and the variables of the demo are in the tree."""
    for name, service in SERVICES.items():
        mounts = [volume.split(":")[0] for volume in service.get("volumes", [])]
        wanted = [mount.removeprefix("./") for mount in mounts if mount.startswith("./")]
        if "build" in service:
            wanted.append(service["build"]["dockerfile"])
            wanted.append(service["env_file"].partition(":-")[2].rstrip("}"))
        assert [path for path in wanted if not (ROOT / path).exists()] == [], name


def test_every_stage_has_a_worker() -> None:
    """The workers' commands cover the seven stages, each once."""
    commands = [service.get("command", [""]) for service in SERVICES.values()]
    stages = [word for command in commands if command[0] == "worker" for word in command[1:]]
    assert sorted(stages) == sorted(STAGES)


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "build" in service])
def test_a_service_runs_a_command_that_exists(name: str) -> None:
    """The command and each of its options are known to the product's own command line."""
    command, *rest = SERVICES[name]["command"]
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert shown.exit_code == 0, shown.output
    assert [word for word in rest if word.startswith("--") and word not in shown.output] == []


def test_compose_sets_only_variables_that_are_read() -> None:
    """A variable that was renamed cannot linger."""
    known = {f"TIDINGS_{name.upper()}" for name in Settings.model_fields}
    for service in SERVICES.values():
        names = {name for name in service.get("environment", {}) if name.startswith("TIDINGS_")}
        assert names <= known


def test_ports_are_published_on_the_loopback_address_only() -> None:
    """Trying it out opens nothing to the network."""
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_images_are_pinned() -> None:
    """The same file starts the same versions tomorrow; broker and registry are those the tests ran on."""
    images = {name: service["image"] for name, service in SERVICES.items() if "build" not in service}
    assert all(re.search(r":v?\d+\.\d+", image) for image in images.values())
    assert images["kafka"].endswith(f":{kafka.VERSION}")
    assert images["registry"].endswith(f":{registry.VERSION}")


def test_prometheus_asks_every_role() -> None:
    """A role nobody scrapes has no alerts."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    asked = {name for job in config["scrape_configs"] for sd in job["dns_sd_configs"] for name in sd["names"]}
    roles = {name for name, s in SERVICES.items() if s.get("command", [""])[0] in {"ingress", "worker"}}
    assert asked == roles
