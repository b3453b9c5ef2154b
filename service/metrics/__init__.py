"""Metrics in Prometheus' form: the only place that knows that library."""
