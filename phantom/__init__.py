"""Synthetic patients with known truth: body, disease and acquisition physics."""
