"""docker-compose.yml, Dockerfile and .env.example agree with each other, the program, and the compose specification."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from click import Context
from redis.backoff import NoBackoff
from redis.retry import Retry

from cli.main import wetread
from tests.program import eventually
from wetread.queue import make_app
from wetread.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
METRICS = ROOT / "deploy" / "compose-metrics.yml"
BOTH = COMPOSE.read_text() + METRICS.read_text()
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:[-?])?(?P<rest>[^}]*)\}")
SECONDS = {"s": 1, "m": 60}


def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return loaded


def ours() -> dict[str, dict[str, Any]]:
    """Return the services that run wetread."""
    return {name: service for name, service in services().items() if service["image"] == "wetread"}


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def seconds(duration: str) -> int:
    return int(duration[:-1]) * SECONDS[duration[-1]]


def test_the_compose_specification_accepts_both() -> None:
    check = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        str(COMPOSE),
        str(METRICS),
    ]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_services_of_the_design_are_there() -> None:
    assert {"redis", "postgres", "worker", "beat"} <= set(services())


def test_no_secret_has_a_default() -> None:
    secrets = [match for match in VARIABLE.finditer(BOTH) if "PASSWORD" in match["name"]]
    assert secrets
    for match in secrets:
        assert match["operator"] == ":?", f"{match[0]}: expected no default, and a refusal to start without it"
    assert {name: value for name, value in example().items() if "PASSWORD" in name and value} == {}


def test_the_example_names_each_variable_and_has_each_default() -> None:
    variables = {match["name"]: match for match in VARIABLE.finditer(BOTH)}
    assert set(variables) == set(example())
    for name, match in variables.items():
        assert example()[name] == (match["rest"] if match["operator"] == ":-" else ""), name


def test_git_ignores_the_filled_in_example() -> None:
    assert subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("name", [name for name, service in services().items() if "profiles" not in service])
def test_a_service_that_stays_is_checked_restarted_and_given_time_to_end(name: str) -> None:
    service = services()[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert seconds(service["stop_grace_period"]) > 10


def test_ports_are_open_on_loopback_alone() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_a_worker_has_time_for_its_soft_shutdown() -> None:
    app = make_app(Settings(broker_url="redis://localhost"))
    assert seconds(services()["worker"]["stop_grace_period"]) > 2 * app.conf.worker_soft_shutdown_timeout


@pytest.mark.parametrize("name", ours())
def test_our_containers_have_no_rights_to_spare(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["user"] == "${WETREAD_UID:-10001}:${WETREAD_GID:-10001}"
    archive = service["volumes"][0]
    assert archive["read_only"] is True
    assert archive["source"] == archive["target"], "a run names the same paths inside and outside"
    assert archive["bind"] == {"create_host_path": False}, "a mistyped archive must not be made, and be empty"


def test_the_image_is_not_run_by_root() -> None:
    users = re.findall(r"^USER (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users[-1:] == ["10001:10001"]


def test_the_image_holds_every_package_and_its_licences() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert {
        "schemas",
        "wetread",
        "producer",
        "worker",
        "trainer",
        "screening",
        "gateway",
        "cli",
        "LICENSE",
        "WEIGHTS_LICENSE",
    } <= names
    let_through = (ROOT / ".dockerignore").read_text()
    assert [name for name in names if f"!{name.partition('/')[0]}" not in let_through] == []


@pytest.mark.parametrize("name", ours())
def test_every_command_exists(name: str) -> None:
    service = services()[name]
    commands = [service.get("command", ["--help"]), service.get("healthcheck", {}).get("test", ["CMD", "wetread"])[2:]]
    for words in filter(None, commands):
        if words[0] == "--help":
            continue
        command = wetread.get_command(Context(wetread), words[0])
        assert command is not None, f"wetread {words[0]}: no such command"
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words[1:] if word.startswith("-")} <= known


def test_settings_reach_the_program_by_the_names_it_reads() -> None:
    known = {f"WETREAD_{name.upper()}" for name in Settings.model_fields}
    for service in ours().values():
        assert set(service["environment"]) <= known


def test_what_is_received_is_written_by_one_service_and_read_by_the_others() -> None:
    spools = {
        name: [str(volume) for volume in service["volumes"] if str(volume).startswith("spool:")]
        for name, service in ours().items()
    }
    assert spools.pop("listen") == ["spool:/var/lib/wetread/spool"]
    assert set(map(tuple, spools.values())) == {("spool:/var/lib/wetread/spool:ro",)}


def test_redis_keeps_what_it_is_told_and_wants_a_password() -> None:
    _, _, script = services()["redis"]["command"]
    assert {"requirepass $$REDIS_PASSWORD", "appendonly yes", "maxmemory-policy noeviction"} <= set(script.splitlines())


def redis_command(*more: str) -> list[str]:
    """Return the container's command as it arrives there, with settings that make it a server of the test's own."""
    shell, options, script = services()["redis"]["command"]
    return [shell, options, script.replace("$$", "$").replace("requirepass", "\n".join([*more, "requirepass"]))]


@pytest.mark.parametrize("password", [None, "", " ", "two words", 'un"quoted'])
def test_redis_does_not_start_without_one_whole_password(password: str | None, tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server not found")
    secret = {} if password is None else {"REDIS_PASSWORD": password}
    command = redis_command("port 0", f"dir {tmp_path}")
    ended = subprocess.run(command, env={"PATH": os.environ["PATH"]} | secret, capture_output=True, timeout=60)
    assert ended.returncode != 0
    assert b"Ready to accept" not in ended.stdout


def test_redis_answers_nobody_without_the_password(tmp_path: Path) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server not found")
    socket = tmp_path / "redis.sock"
    command = redis_command("port 0", f"unixsocket {socket}", f"dir {tmp_path}")
    server = subprocess.Popen(
        command, env={"PATH": os.environ["PATH"], "REDIS_PASSWORD": "correct-horse"}, stdout=subprocess.DEVNULL
    )
    try:
        eventually(socket.exists, what="the server's socket")
        for password in (None, "", "wrong"):
            with (
                redis.Redis(unix_socket_path=str(socket), password=password, retry=Retry(NoBackoff(), 0)) as client,
                pytest.raises((redis.AuthenticationError, redis.ResponseError)),
            ):
                client.ping()
        with redis.Redis(unix_socket_path=str(socket), password="correct-horse") as client:  # noqa: S106 - the test's own
            eventually(lambda: client.ping(), what="an answer")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    finally:
        server.kill()
        server.wait()


def test_nothing_is_open_but_what_is_declared() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published == {
        "redis": ["127.0.0.1:${WETREAD_REDIS_PORT:-6379}:6379"],
        "postgres": ["127.0.0.1:${WETREAD_POSTGRES_PORT:-5432}:5432"],
        "listen": ["127.0.0.1:${WETREAD_LISTEN_PORT:-11112}:11112"],
    }
    ways_round = {"network_mode", "privileged", "pid", "ipc", "cap_add", "devices", "userns_mode", "extra_hosts"}
    for name, service in services().items():
        assert ways_round.isdisjoint(service), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), name
    assert not re.search(r"^EXPOSE", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_what_watches_it_is_open_on_loopback_alone_and_finds_the_ports_that_are_served() -> None:
    added = yaml.safe_load(METRICS.read_text())
    for name, service in added["services"].items():
        assert [port.startswith("127.0.0.1:") for port in service["ports"]] == [True], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {config["source"] for config in service["configs"]} <= set(added["configs"]), name
    scraped = yaml.safe_load(added["configs"]["prometheus"]["content"])["scrape_configs"][0]["dns_sd_configs"]
    for found in scraped:
        (service,) = found["names"]
        command = services()[service]["command"]
        assert command[command.index("--metrics-port") + 1] == str(found["port"]), service
    files = [config["file"] for config in added["configs"].values() if "file" in config]
    assert len(files) == 2
    assert all((ROOT / file).is_file() for file in files)
