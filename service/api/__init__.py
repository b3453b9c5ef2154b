"""The REST interface under /api/v1 and a server-rendered status page; both only read and retry."""
