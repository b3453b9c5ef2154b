"""The test client of the web application."""

import warnings

with warnings.catch_warnings():
    # starlette asks for httpx2, a successor; the service itself uses neither.
    warnings.filterwarnings("ignore", "Using `httpx` with")
    from fastapi import testclient

__all__ = ["TestClient"]


class TestClient(testclient.TestClient):
    """A browser on the same host, so a local admin, unless another `client` is given."""

    __test__ = False  # it is no test of its own

    def __init__(self, app, base_url="http://localhost", client=("127.0.0.1", 50000), **more):
        super().__init__(app, base_url, client=client, **more)
