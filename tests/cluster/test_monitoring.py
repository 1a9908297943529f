"""Board, alerts and scraping name metrics and labels that there are, and all metrics are shown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from deepprove_dist.execution.group.loss_kinds import KINDS
from deepprove_dist.metrics.catalog import METRICS
from deepprove_dist.service.events import JobEventKind
from tests.cluster.ray_config import TOP, load

FOLDER = TOP / "cluster" / "monitoring"
BOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text())
SERIES = {series: metric for metric in METRICS for series in metric.series}
ADDED = {"le", "instance", "job"}
"""Labels that Prometheus adds."""


def board_queries() -> list[str]:
    return [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


def alert_rules() -> list[dict[str, Any]]:
    (group,) = load((FOLDER / "alerts.yaml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def queries() -> list[str]:
    return board_queries() + [rule["expr"] for rule in alert_rules()]


def unknown(query: str) -> set[str]:
    """Metrics and labels of a query that there are not."""
    names = set(re.findall(r"\bdeepprove_\w+", query))
    labels = set(re.findall(r"(\w+)=~?\"", query))
    for listed in re.findall(r"(?:by|on) \(([^)]*)\)", query):
        labels |= set(re.split(r",\s*", listed))
    known = ADDED | {label for name in names & set(SERIES) for label in SERIES[name].labels}
    return (names - set(SERIES)) | (labels - known)


def test_queries_name_what_there_is() -> None:
    assert [query for query in queries() if unknown(query)] == []


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("rate(deepprove_proofs[5m])", "deepprove_proofs"),
        ("sum by (node) (deepprove_proofs_total)", "node"),
        ('deepprove_proofs_total{kind="done"}', "kind"),
    ],
)
def test_a_mistake_would_be_found(query: str, missing: str) -> None:
    assert missing in unknown(query)


def test_every_metric_is_on_the_board() -> None:
    shown = " ".join(board_queries())
    assert [metric.name for metric in METRICS if not any(series in shown for series in metric.series)] == []


def test_brackets_of_queries_close() -> None:
    for query in queries():
        for left, right in ("()", "[]", "{}"):
            assert query.count(left) == query.count(right), query


def test_values_of_labels_occur() -> None:
    for query in queries():
        for kind in re.findall(r'kind="(\w+)"', query):
            assert kind in {event.value for event in JobEventKind}
        for reason in re.findall(r'reason="(\w+)"', query):
            assert reason in KINDS


def test_alerts_say_what_is_wrong() -> None:
    for rule in alert_rules():
        assert re.fullmatch(r"Deepprove[A-Z]\w+", rule["alert"])
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_of_the_board_do_not_overlap() -> None:
    places = [tuple(panel["gridPos"].items()) for panel in BOARD["panels"]]
    assert len(places) == len(set(places)) == len({panel["id"] for panel in BOARD["panels"]})


def test_scraping_gives_the_names_of_the_catalogue() -> None:
    config = load((FOLDER / "prometheus.yaml").read_text())
    assert config["rule_files"] == ["alerts.yaml"]
    assert {job["job_name"] for job in config["scrape_configs"]} == {"deepprove-service", "ray"}
    (rule,) = config["scrape_configs"][1]["metric_relabel_configs"]
    renamed = {re.sub(f"^{rule['regex']}$", r"\1", f"ray_{series}") for series in SERIES}
    assert renamed == set(SERIES)


def test_the_book_lists_all_metrics() -> None:
    (table,) = re.findall(
        r"<!-- metrics -->\n(.*?)<!-- end of metrics -->",
        (TOP / "docs" / "cluster.md").read_text(),
        re.DOTALL,
    )
    rows = [f"| `{m.name}` | {', '.join(m.labels) or '-'} | {m.meaning} |" for m in METRICS]
    assert table.splitlines()[2:] == rows
