"""Backup and restore: the record of work, the images of unfinished studies, the results."""
