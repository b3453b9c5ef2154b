"""The papers' tables, each printed from scratch by one command."""
