"""The test client of the web application."""

import warnings

with warnings.catch_warnings():
    # starlette asks for httpx2, a successor; the service itself uses neither.
    warnings.filterwarnings("ignore", "Using `httpx` with")
    from fastapi.testclient import TestClient

__all__ = ["TestClient"]
