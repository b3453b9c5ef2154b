"""Fit, evaluate and export the served models."""
