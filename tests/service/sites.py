"""An installation as the web application is told of it, for tests of its pages and routes."""

from service.api.site import Site


def site_of(store, folder, **more):
    """Return a site whose results and spool are in `folder`; `more` are other fields of it."""
    fields = {
        "store": store,
        "results_dir": folder / "results",
        "spool_dir": folder / "spool",
        "model_dirs": (),
        "node_host": "127.0.0.1",
        "node_port": 1,
        "node_ae_title": "OSTEON",
        "version": "0.1.0",
        "git_commit": "abc",
    }
    return Site(**(fields | more))
