"""Orthanc as the archive that earlier studies come from: it lets itself be asked."""

import http.client
import json
from pathlib import Path

from dicom_node.network import Timeouts
from dicom_node.peer import Peer
from tests.acceptance.peers import Orthanc, storescu_to

_ASKED = {
    "DicomAlwaysAllowFind": True,
    "DicomAlwaysAllowGet": True,
    "DicomAlwaysAllowMove": True,
}


class ArchiveOrthanc(Orthanc):
    """An Orthanc that anybody may query and take studies from."""

    def start(self) -> None:
        config = json.loads(self._config.read_text())
        self._config.write_text(json.dumps(config | _ASKED))
        super().start()

    def peer(self) -> Peer:
        slow = Timeouts(connect_s=60, negotiate_s=60)  # a test machine may be busy
        return Peer("ORTHANC", "127.0.0.1", self.dicom_port, timeouts=slow)

    def knows(self, ae_title: str, port: int) -> None:
        """Tell it where this AE title is, as C-MOVE asks for."""
        known = {"AET": ae_title, "Host": "127.0.0.1", "Port": port}
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=30)
        connection.request("PUT", "/modalities/osteon", json.dumps(known))
        assert connection.getresponse().status == 200
        connection.close()

    def keep(self, folder: Path) -> None:
        """Have a study sent to it, as a scanner does."""
        assert storescu_to("ORTHANC", folder, self.dicom_port).complete
