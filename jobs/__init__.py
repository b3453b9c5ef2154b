"""The record of work: studies, jobs, events, results; the only owner of durable state."""
