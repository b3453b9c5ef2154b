"""OHIF as its makers build it, on a port of loopback, told by its configuration whom to ask."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
OHIF = _CACHE / "osteon/ohif-3.12.10"
"""Where tests/install_ohif.sh puts it."""


class _Handler(SimpleHTTPRequestHandler):
    """Files of the build; every other address is its one page."""

    def __init__(self, *args: object, configuration: bytes, **more: object) -> None:
        self._configuration = configuration
        super().__init__(*args, directory=str(OHIF), **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/app-config.js":
            self._send(self._configuration, "text/javascript")
        elif path != "/" and (OHIF / path.lstrip("/")).is_file():
            super().do_GET()
        else:
            self._send((OHIF / "index.html").read_bytes(), "text/html")

    def _send(self, body: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served_ohif(port: int, dicomweb: str) -> Iterator[str]:
    """Serve OHIF on a port, asking `dicomweb`; yield its address."""
    handler = partial(_Handler, configuration=_configuration(dicomweb))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.shutdown()
            thread.join()


def _configuration(dicomweb: str) -> bytes:
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "osteon",
        "configuration": {
            "friendlyName": "Osteon",
            "name": "osteon",
            "qidoRoot": dicomweb,
            "wadoRoot": dicomweb,
            "qidoSupportsIncludeField": True,
            "supportsWildcard": True,
            "supportsFuzzyMatching": False,
            "supportsReject": False,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "bulkDataURI": {"enabled": True},
        },
    }
    told = {
        "routerBasename": "/",
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 1,
        "showCPUFallbackMessage": True,
        "investigationalUseDialog": {"option": "never"},
        "defaultDataSourceName": "osteon",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(told)};".encode()
