"""The web server of `osteon api`: asked to stop, it ends the streams that are open first.

Without that each stop waits for the browsers that watch a list, and cuts them off with an error.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

_GRACE_S = 3
_MOST_AT_ONCE = 64


class WebServer(uvicorn.Server):
    """Uvicorn, and `app.state.stopping` true from the first signal on."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        """Prepare to serve `app`; logs are ours."""
        self._state = app.state
        self._state.stopping = False
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the gate asks who the peer really is (service.access.addresses)
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(config)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell the streams, then stop."""
        self._state.stopping = True
        super().handle_exit(sig, frame)

    def serve_until_stopped(self) -> bool:
        """Serve until a signal comes; False if it could not begin, as on a port that is taken."""
        with suppress(KeyboardInterrupt):
            self.run()
        return self.started
