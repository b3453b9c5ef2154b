"""Telling other programs what happens to jobs: addresses, signatures, and the sender."""
