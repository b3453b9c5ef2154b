"""Celery on Redis: rings for jobs, and a worker that hears it. The database stays the truth."""
