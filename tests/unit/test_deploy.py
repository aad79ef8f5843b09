"""The manifests, units and rules in deploy/ agree with the program, the image and docker-compose.yml."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.alarms import AlarmKind
from tests.deployed import REPORT, TIMER, called, lines
from tests.program import REPOSITORY as ROOT
from wetread.liveness import STANDS_STILL_SECONDS
from wetread.queue import make_app
from wetread.settings import Settings
from wetread.store.core import limits
from worker import memory

KUBERNETES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
UNITS = [ROOT / "deploy" / "systemd" / f"wetread-{part}.service" for part in ("beat", "listen", "worker")]
SEND = ROOT / "deploy" / "systemd" / "wetread-send@.service"
SEND_TIMER = SEND.with_suffix(".timer")
OF_SETTINGS = {f"WETREAD_{name.upper()}" for name in Settings.model_fields}


def documents() -> list[dict[str, Any]]:
    return [one for file in KUBERNETES for one in yaml.safe_load_all(file.read_text())]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in documents() if one["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    """Return the pod of each Deployment and Job."""
    return {
        name: one["spec"]["template"]["spec"] for kind in ("Deployment", "Job") for name, one in named(kind).items()
    }


def test_every_manifest_is_in_the_namespace_that_is_made() -> None:
    assert list(named("Namespace")) == ["wetread"]
    for one in documents():
        assert {"apiVersion", "kind", "metadata"} <= set(one)
        if one["kind"] not in ("Namespace", "PersistentVolume"):
            assert one["metadata"]["namespace"] == "wetread", one["metadata"]["name"]


@pytest.mark.parametrize("name", ["worker", "beat", "listen", "migrate"])
def test_each_container_calls_what_exists_and_takes_settings_that_exist(name: str) -> None:
    (container,) = pods()[name]["containers"]
    called(container["args"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if probe in container:
            program, *words = container[probe]["exec"]["command"]
            assert program == "wetread"
            called(words)
    assert ("livenessProbe" in container) == (name != "migrate")
    for source in container["envFrom"]:
        (kind,) = source
        known = named("ConfigMap" if kind == "configMapRef" else "Secret")[source[kind]["name"]]
        assert set(known.get("data") or known["stringData"]) <= OF_SETTINGS
    for volume in container["volumeMounts"]:
        assert volume["name"] in {one["name"] for one in pods()[name]["volumes"]}
    for port in container.get("ports", []):
        option = "--port" if port["name"] == "dicom" else "--metrics-port"
        assert container["args"][container["args"].index(option) + 1] == str(port["containerPort"])


@pytest.mark.parametrize("name", ["worker", "beat", "listen", "migrate"])
def test_no_pod_has_rights_to_spare_nor_writes_the_archive(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]
    users = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    context = pod["securityContext"]
    assert (str(context["runAsUser"]), str(context["runAsGroup"])) == users[-1]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod["automountServiceAccountToken"] is False
    assert "memory" in container["resources"]["limits"]
    mounts = {one["name"]: one for one in container["volumeMounts"]}
    assert "archive" not in mounts or mounts["archive"]["readOnly"] is True
    assert "/tmp" in {one["mountPath"] for one in mounts.values()}, "signs of life and counts are written there"
    for volume in pod["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            assert claim["claimName"] in named("PersistentVolumeClaim")


def test_the_archives_volume_is_read_only_from_end_to_end() -> None:
    volume = named("PersistentVolume")["wetread-archive"]["spec"]
    assert volume["nfs"]["readOnly"] is True
    assert volume["accessModes"] == named("PersistentVolumeClaim")["archive"]["spec"]["accessModes"] == ["ReadOnlyMany"]


def test_a_pod_of_a_worker_has_time_for_its_soft_shutdown() -> None:
    app = make_app(Settings(broker_url="redis://localhost"))  # type: ignore[arg-type]  # pydantic makes it a secret
    assert pods()["worker"]["terminationGracePeriodSeconds"] > 2 * app.conf.worker_soft_shutdown_timeout


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_the_processes_of_a_worker_fit_into_its_containers_memory(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "kubernetes":
        (container,) = pods()["worker"]["containers"]
        words, limit = container["args"], int(container["resources"]["limits"]["memory"].removesuffix("Gi")) * 2**30
        assert "WETREAD_MEMORY_BYTES" not in named("ConfigMap")["wetread"]["data"], "it would be taken as it is"
    else:
        worker = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["worker"]
        words = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", word) for word in worker["command"]]
        limit = int(re.sub(r"\$\{\w+:-(\d+)g\}", r"\1", worker["mem_limit"])) * 2**30
    processes = int(words[words.index("--concurrency") + 1])
    monkeypatch.setattr(memory, "memory_limit", lambda: limit)
    each = memory.with_memory_for(Settings(), processes).memory_bytes
    assert processes * each + memory.KEPT_FREE <= limit
    assert each >= 2**30, "a film of 100 million pixels takes some 600 MB"


def test_a_unit_of_a_worker_has_a_limit_of_memory_and_outlives_a_process_that_the_kernel_ends() -> None:
    (unit,) = (unit for unit in UNITS if "worker" in unit.name)
    assert list(lines(unit, "MemoryMax")) == ["80%"]
    assert list(lines(unit, "OOMPolicy")) == ["continue"]


def test_secrets_are_examples_and_none_is_anywhere_else() -> None:
    assert [file.name for file in KUBERNETES if "kind: Secret\n" in file.read_text()] == ["secret.example.yaml"]
    for secret in named("Secret").values():
        for value in secret["stringData"].values():
            assert value == "" or "CHANGE-ME" in value


def test_the_network_is_closed_but_for_metrics_and_services() -> None:
    policy = named("NetworkPolicy")["wetread"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    scraped = {port["containerPort"] for pod in pods().values() for port in pod["containers"][0].get("ports", [])}
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == scraped
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 5432, 6379}
    for one in named("Deployment").values():
        template = one["spec"]["template"]["metadata"]["labels"]
        assert policy["podSelector"]["matchLabels"].items() <= template.items()
        assert one["spec"]["selector"]["matchLabels"] == template


def test_keda_scales_the_worker_that_is_there_by_a_role_that_only_reads() -> None:
    scaled = named("ScaledObject")["worker"]["spec"]
    assert scaled["scaleTargetRef"]["name"] in named("Deployment")
    (trigger,) = scaled["triggers"]
    reference = named("TriggerAuthentication")[trigger["authenticationRef"]["name"]]["spec"]["secretTargetRef"][0]
    assert "wetread_reader" in named("Secret")[reference["name"]]["stringData"][reference["key"]]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_calls_what_exists_with_settings_that_exist(unit: Path) -> None:
    (start,) = lines(unit, "ExecStart")
    program, *words = shlex.split(start)
    assert program.endswith("/wetread")
    called(words)
    variables = {pair.partition("=")[0] for line in lines(unit, "Environment") for pair in shlex.split(line)}
    assert variables <= OF_SETTINGS
    assert list(lines(unit, "User")) == ["wetread"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_starts_a_unit_again_that_ends_or_stands_still(unit: Path) -> None:
    assert list(lines(unit, "Type")) == ["notify"]
    assert list(lines(unit, "Restart")) == ["always"]
    (watchdog,) = lines(unit, "WatchdogSec")
    rounds = Settings().sweep_seconds + limits.SWEEPING.statement + limits.GRACE_SECONDS + limits.CONNECT_SECONDS
    assert 2 * rounds < int(watchdog) < STANDS_STILL_SECONDS, "a round that meets every limit is no standstill"


def test_compose_and_kubernetes_start_what_ended_again() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for part in ("worker", "beat"):
        assert services[part]["restart"] == "unless-stopped"
        assert services[part]["healthcheck"]["test"] == ["CMD", "wetread", "health", part]
        assert pods()[part].get("restartPolicy", "Always") == "Always"
        assert "livenessProbe" in pods()[part]["containers"][0]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_a_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze not found")
    program = tmp_path / "wetread"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/wetread/.venv/bin/wetread", str(program)))
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_no_unit_is_left_out_of_these_tests() -> None:
    assert sorted((ROOT / "deploy" / "systemd").iterdir()) == sorted([*UNITS, REPORT, TIMER, SEND, SEND_TIMER])


def test_systemd_sends_readings_to_the_peer_that_the_unit_is_named_for(tmp_path: Path) -> None:
    (start,) = lines(SEND, "ExecStart")
    called(shlex.split(start.replace("%i", "pacs"))[1:])
    page = (ROOT / "docs" / "pacs.md").read_text()
    assert f"deploy/systemd/{SEND.name}" in page and f"deploy/systemd/{SEND_TIMER.name}" in page
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze not found")
    for unit in (SEND, SEND_TIMER):
        here = tmp_path / unit.name.replace("@", "@pacs")
        here.write_text(unit.read_text().replace("/opt/wetread/.venv/bin/wetread", "/bin/true"))
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, ""), unit.name


def test_the_ports_that_prometheus_scrapes_are_those_that_the_units_serve() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    targets = {target.rpartition(":")[2] for target in config["scrape_configs"][0]["static_configs"][0]["targets"]}
    assert targets == {shlex.split(next(lines(unit, "ExecStart")))[-1] for unit in UNITS}
    assert all((ROOT / "deploy" / "prometheus" / file).is_file() for file in config["rule_files"])


def test_every_alert_says_what_it_means_and_a_panel_has_a_place_of_its_own() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "wetread-alerts.yml").read_text())["groups"][0]["rules"]
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} <= set(rule["annotations"]), rule["alert"]
        for command in re.findall(r"`wetread ([^`]*)`", rule["annotations"]["description"]):
            called(command.split())
    panels = json.loads((ROOT / "deploy" / "grafana" / "wetread.json").read_text())["panels"]
    places = [
        (place["x"] + x, place["y"] + y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["w"])
        for y in range(place["h"])
    ]
    assert len(places) == len(set(places)), "panels lie over each other"
    assert max(x for x, _ in places) == 23


def test_what_is_to_be_looked_into_has_an_alert_and_a_panel() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "wetread-alerts.yml").read_text()
    (kinds,) = re.findall(r'wetread_alarms\{kind=~"([a-z_|]+)"\}', rules)
    # The rest has alerts of its own, or is what a person meant: a run left at its window's end.
    others = {
        "run_paused",
        "run_interrupted",
        "failure_rate",
        "drift",
        "night_missed",
        "night_failed",
        "received_conflict",
        "agreement",  # of the readers with the model: the morning report says it, and no run
    }
    assert set(kinds.split("|")) == {str(kind) for kind in AlarmKind} - others
    panels = json.loads((ROOT / "deploy" / "grafana" / "wetread.json").read_text())["panels"]
    assert any("wetread_alarms" in target["expr"] for panel in panels for target in panel.get("targets", []))
