"""One try: a POST to an address that was checked, no redirect followed, the answer not read."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as TooSlow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from service.webhooks.recipients import Target

NO_CONNECTION = "NO_CONNECTION"


class NotTaken(Exception):  # noqa: N818 - it names the condition
    """No answer came; `code` is stable."""

    def __init__(self, code: str) -> None:
        """Say why."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Post:
    """Sends bytes by HTTP."""

    timeout_s: float = 5.0
    ca_file: Path | None = None
    """Authorities of certificates; the system's if not given."""

    def __call__(
        self, target: Target, address: str, headers: Mapping[str, str], body: bytes
    ) -> int:
        """Return the status of the answer.

        Raises:
            NotTaken: there was none.

        """
        pool = self._pool(target, address)
        try:
            answer = pool.urlopen(
                "POST",
                target.path,
                body=body,
                headers={"Host": target.authority, "User-Agent": "osteon", **headers},
                redirect=False,
                retries=False,
                assert_same_host=False,
                preload_content=False,
            )
            status: int = answer.status
            answer.close()
        except SSLError:
            raise NotTaken("TLS") from None
        except NewConnectionError:  # which urllib3 counts among the timeouts
            raise NotTaken(NO_CONNECTION) from None
        except TooSlow:
            raise NotTaken("TIMEOUT") from None
        except (HTTPError, OSError):
            raise NotTaken(NO_CONNECTION) from None
        finally:
            pool.close()
        return status

    def _pool(self, target: Target, address: str) -> HTTPConnectionPool:
        timeout = Timeout(connect=self.timeout_s, read=self.timeout_s)
        if target.scheme == "http":
            return HTTPConnectionPool(address, target.port, timeout=timeout)
        return HTTPSConnectionPool(
            address,
            target.port,
            timeout=timeout,
            ssl_context=self._tls,
            server_hostname=target.host,
            assert_hostname=target.host,
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError:  # the file is gone, or holds no certificate
            raise NotTaken("TLS") from None
