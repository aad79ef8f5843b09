"""Settings: environment variables that begin with WETREAD_, each with a default that needs no server."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from schemas.errors import UsageError
from schemas.films import FILE_BYTES_LIMIT, Accepted
from wetread.broker_address import read_address
from wetread.database_address import check_address

YEAR_SECONDS = 365 * 86_400.0

MOST_BYTES = 2**50

LEAST_KEY = 32
"""Characters of a key for patients' ids: 128 bits in hexadecimal."""


def _default_home() -> Path:
    return Path(platformdirs.user_data_dir("wetread", appauthor=False))


class Settings(BaseSettings):
    """Where things are, and the limits a worker keeps.

    database_url and broker_url are secrets, since they can hold a password; `safe_url` makes one printable.
    patient_key is one too.
    """

    model_config = SettingsConfigDict(
        env_prefix="WETREAD_", env_ignore_empty=True, extra="ignore", frozen=True, allow_inf_nan=False
    )

    home: Path = Field(default_factory=_default_home, description="the database and the models, when nothing else says")
    database_url: SecretStr = Field(default=SecretStr(""), description="empty: SQLite under home")
    broker_url: SecretStr = Field(default=SecretStr(""), description="empty: no broker, worker processes of our own")
    patient_key: SecretStr = Field(
        default=SecretStr(""), description="patients' ids are hashed with it; empty: a random one under home, once"
    )
    models: Path | None = Field(default=None, description="the models' folder; empty: home/models")
    root_map: dict[str, str] = Field(
        default_factory=dict,
        description='where this machine sees a directory, as JSON: {"/archive": "/mnt/nas/archive"}',
    )
    batch_size: int = Field(default=64, ge=1, le=1024, description="images in a batch")
    lease_seconds: float = Field(
        default=60.0, gt=0, le=YEAR_SECONDS, description="a worker that is silent longer has lost its batch"
    )
    image_seconds: float = Field(default=30.0, gt=0, le=YEAR_SECONDS, description="the longest that one image may take")
    memory_bytes: int = Field(
        default=4 * 1024**3, ge=1, le=MOST_BYTES, description="a worker process that grows beyond this ends itself"
    )
    attempts: int = Field(default=3, ge=1, le=1_000, description="times an image is tried alone before it is dead")
    outstanding_batches: int = Field(
        default=256, ge=1, le=1_000_000, description="batches rung for and not settled, at most"
    )
    file_bytes: int = Field(
        default=FILE_BYTES_LIMIT, ge=1, le=MOST_BYTES, description="a larger file is rejected unread"
    )
    sweep_seconds: float = Field(
        default=15.0, gt=0, le=YEAR_SECONDS, description="between two sweeps of a long-running process"
    )
    accept_modalities: str = Field(
        default="", description="modalities by whose word films are set aside and which are read, parted by commas"
    )
    accept_body_parts: str = Field(default="", description="the same for parts of the body")
    accept_views: str = Field(default="", description="the same for views")
    metrics_port: int | None = Field(default=None, ge=0, le=65535, description="Prometheus scrapes it; empty: none")
    metrics_host: str = Field(default="127.0.0.1", min_length=1, description="the address that the port listens on")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="the least that is logged; --verbose is info"
    )

    @field_validator("home", "models")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        try:
            return None if path is None else Path(os.path.abspath(path.expanduser()))
        except RuntimeError as error:
            raise ValueError("expected the home of a user after ~, found none; write the whole path") from error

    @field_validator("patient_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        """Refuse a key that can be guessed: whoever guesses it can try all patients' ids."""
        length = len(key.get_secret_value())
        if 0 < length < LEAST_KEY:
            raise ValueError(
                f"expected at least {LEAST_KEY} characters, found {length}; make one: openssl rand -hex 32"
            )
        return key

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        """Refuse an unknown driver or option before anything is opened."""
        if value := url.get_secret_value():
            check_address(value)
        return url

    @field_validator("broker_url")
    @classmethod
    def _redis(cls, url: SecretStr) -> SecretStr:
        """Refuse a broker that is no Redis: the queue's length is asked in Redis's own words."""
        value = url.get_secret_value()
        if value:
            read_address(value)
        return url

    @property
    def models_directory(self) -> Path:
        """The folder that holds NAME/VERSION of each model."""
        return self.models or self.home / "models"

    @property
    def database(self) -> str:
        """The database's URL, password included."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home / 'results.db'}"

    @property
    def patient_key_file(self) -> Path:
        """Where the key for patients' ids is kept when none is set."""
        return self.home / "patient.key"

    @property
    def own_paths(self) -> list[str]:
        """The models' folder, the key, the files of a SQLite database: no walk looks for films there."""
        scheme, separator, file = self.database.partition(":///")
        database = [file + end for end in ("", "-wal", "-shm", "-journal")] if "sqlite" in scheme and separator else []
        return [str(self.models_directory), str(self.patient_key_file), *database]

    @property
    def accepted(self) -> Accepted:
        """The words that runs which are made here are to read."""
        lists = (self.accept_modalities, self.accept_body_parts, self.accept_views)
        return Accepted(*(tuple(filter(None, (word.strip() for word in one.split(",")))) for one in lists))

    @property
    def broker(self) -> str | None:
        """The broker's URL, password included; None when there is none."""
        return self.broker_url.get_secret_value() or None

    def local_root(self, root: bytes) -> bytes:
        """Return where this machine sees the archive root that the database knows as `root`."""
        known = {
            os.fsencode(there).rstrip(b"/"): os.fsencode(here).rstrip(b"/") for there, here in self.root_map.items()
        }
        for there in sorted(known, key=len, reverse=True):
            if root == there or root.startswith(there + b"/"):
                return known[there] + root[len(there) :]
        return root


OTHER_NAMES = frozenset({
    "WETREAD_ARCHIVE", "WETREAD_CONCURRENCY", "WETREAD_FAILPOINT", "WETREAD_FAILPOINT_COUNTS", "WETREAD_GID",
    "WETREAD_GRAFANA_PASSWORD", "WETREAD_GRAFANA_PORT", "WETREAD_LISTEN_PORT", "WETREAD_MODELS_VOLUME",
    "WETREAD_POSTGRES_PASSWORD", "WETREAD_POSTGRES_PORT", "WETREAD_PROMETHEUS_PORT", "WETREAD_REDIS_PASSWORD",
    "WETREAD_REDIS_PORT", "WETREAD_REQUIREMENTS", "WETREAD_UID", "WETREAD_WORKERS",
})  # fmt: skip
"""Variables of docker-compose.yml, of the images and of our tests, which are no settings and no mistakes."""


def setting_names() -> frozenset[str]:
    """Return the variables that are settings."""
    return frozenset(f"WETREAD_{name.upper()}" for name in Settings.model_fields)


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """Return the settings of this process; raise UsageError naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"WETREAD_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors()
        )
        raise UsageError(f"expected usable settings, found {faults}") from error
    except SettingsError as error:
        raise UsageError(f"expected usable settings, found WETREAD_ROOT_MAP: {error.__cause__}") from error


def safe_url(url: str) -> str:
    """Return `url` without its password, for messages."""
    scheme, separator, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    place, query, _ = place.partition("?")  # libpq and redis-py take a password there too
    user = credentials.partition(":")[0].partition("?")[0]
    hidden = ":***" if credentials != user else ""
    return f"{scheme}{separator}{user}{hidden}{at}{place}{'?***' if query else ''}"
