"""The console: pages for people, rendered here and readable without a script."""
