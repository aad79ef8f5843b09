"""An Orthanc of the tests' own: what it is given by its REST API it sends on by DICOM."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import urllib.error
import urllib.request
from typing import Any

from tests.servers.server import Server, free_port, program_path

DICOMWEB = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
"""Debian's orthanc-dicomweb."""


class OrthancServer(Server):
    """Orthanc on loopback, without users; it knows one modality, "wetread". changes: to its configuration."""

    programs = ("Orthanc",)
    polite_stop = signal.SIGTERM

    def __init__(self, wetread_port: int, changes: dict[str, Any] | None = None) -> None:
        super().__init__()
        self._wetread_port, self._changes = wetread_port, changes or {}
        self.dicom_port = free_port()

    @property
    def web(self) -> str:
        """Its DICOMweb service."""
        return f"{self.url}/dicom-web"

    @property
    def url(self) -> str:
        """Its REST API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        """The server."""
        return [program_path("Orthanc"), str(self.directory / "orthanc.json")]

    @property
    def identity(self) -> str:
        """The name that only this one has."""
        return self.directory.name

    def prepare(self) -> None:
        """Write its configuration."""
        configuration = {
            "Name": self.identity, "StorageDirectory": str(self.directory / "storage"),
            "IndexDirectory": str(self.directory / "storage"), "HttpPort": self.port, "DicomPort": self.dicom_port,
            "DicomAet": "ORTHANC", "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
            "Plugins": [path for path in [DICOMWEB] if os.path.exists(path)],
            "DicomModalities": {"wetread": ["WETREAD", "127.0.0.1", self._wetread_port]}, "DicomScuTimeout": 60,
            "OverwriteInstances": True, "ConcurrentJobs": 10, **self._changes,
        }  # fmt: skip
        path = self.directory / "orthanc.json"
        path.write_text(json.dumps(configuration))
        if self.user is not None:
            shutil.chown(path, self.user)

    def answering(self) -> str | None:
        """Return the name of what answers at the port."""
        try:
            return str(self.ask("/system")["Name"])
        except OSError:
            return None

    def ask(self, path: str, body: bytes | None = None, *, timeout: float = 10.0) -> Any:
        """GET, or POST where there is a body; return the JSON that it answers."""
        users = self._changes.get("RegisteredUsers", {})
        headers = {}
        for name, word in users.items():
            headers["Authorization"] = "Basic " + base64.b64encode(f"{name}:{word}".encode()).decode()
        request = urllib.request.Request(self.url + path, data=body, headers=headers)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - the same
            return json.loads(answer.read())

    def send_all(self) -> tuple[int, int]:
        """Send every instance to wetread in one association; return how many it was answered for, and how many not."""
        instances = self.ask("/instances")
        try:
            done = self.ask("/modalities/wetread/store", json.dumps(instances).encode(), timeout=120)
        except urllib.error.HTTPError as error:
            error.close()
            return 0, len(instances)
        return done["InstancesCount"] - done["FailedInstancesCount"], done["FailedInstancesCount"]
