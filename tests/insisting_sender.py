"""A sender that tries until each of its films was answered 0x0000, however often the receiver dies."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import suppress
from io import BytesIO

from pydicom import dcmread

from tests.receiving import connected


class InsistingSender(threading.Thread):
    """Sends by pynetdicom, in as many associations as that takes; adds each instance that was answered 0x0000."""

    def __init__(self, port: int, films: list[bytes], acknowledged: list[str]) -> None:
        super().__init__(daemon=True)
        self._port, self._acknowledged = port, acknowledged
        self._left = [dcmread(BytesIO(one)) for one in films]

    def run(self) -> None:
        from pynetdicom import AE

        entity = AE(ae_title="PYNETDICOM")
        entity.add_requested_context(self._left[0].SOPClassUID, "1.2.840.10008.1.2.1")
        end = time.monotonic() + 3600
        while self._left and time.monotonic() < end:
            time.sleep(0.1)
            try:  # pynetdicom leaves the sockets open by which it could not connect
                connected(self._port).close()
            except OSError:
                continue
            association = entity.associate("127.0.0.1", self._port, ae_title="WETREAD")
            while self._left and association.is_established:
                try:
                    answer = association.send_c_store(self._left[0])
                except (RuntimeError, ValueError):
                    break
                if "Status" not in answer or answer.Status != 0:
                    break
                self._acknowledged.append(str(self._left.pop(0).SOPInstanceUID))
            if association.is_established:
                association.release()
            with suppress(AttributeError, OSError):
                association.dul.socket.socket.close()
        gc.collect()
