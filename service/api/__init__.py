"""The REST interface under /api/v1, what watches ask, and the application that both faces share."""
