"""Why a backup or a restore did not happen; each `code` is stable, each message one sentence.

BackupError
├── BackupExists        the name is taken: a backup never replaces another
├── NotABackup          the folder is none of ours, or of a newer form
├── BackupDamaged       a file is missing or is not the one that was written
├── TargetNotEmpty      the data folder has images or results already
└── BackupUnwritable    the file system refused
"""

from __future__ import annotations


class BackupError(Exception):
    """A backup or a restore that was refused or did not work; nothing was changed."""

    code = "BACKUP_ERROR"


class BackupExists(BackupError):  # noqa: N818 - these name the condition
    """Something has the name that the backup was to have."""

    code = "BACKUP_EXISTS"


class NotABackup(BackupError):  # noqa: N818
    """The folder has no manifest that this software understands."""

    code = "NOT_A_BACKUP"


class BackupDamaged(BackupError):  # noqa: N818
    """A file of the backup is missing, or its digest is another."""

    code = "BACKUP_DAMAGED"


class TargetNotEmpty(BackupError):  # noqa: N818
    """A restore never mixes with what is there."""

    code = "RESTORE_TARGET_NOT_EMPTY"


class BackupUnwritable(BackupError):  # noqa: N818
    """The file system refused to write: full, read-only, no permission."""

    code = "BACKUP_UNWRITABLE"
