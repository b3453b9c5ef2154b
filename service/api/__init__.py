"""The REST API and the status page."""
