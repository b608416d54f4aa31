"""Locks on open files: they end with the process that holds them, however it ends."""

from __future__ import annotations

import errno
import os
import sys

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}

if sys.platform == "win32":
    import msvcrt
    import time

    def lock(fd: int) -> bool:
        """Wait for the exclusive lock of an open file; True."""
        while not try_lock(fd):  # LK_LOCK gives up after ten seconds
            time.sleep(0.01)
        return True

    def try_lock(fd: int) -> bool:
        """Whether the exclusive lock of an open file was free, and is now ours."""
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise
        return True

    def unlock(fd: int) -> None:
        """Give the lock back."""
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def lock(fd: int) -> bool:
        """Wait for the exclusive lock of an open file; True."""
        fcntl.flock(fd, fcntl.LOCK_EX)
        return True

    def try_lock(fd: int) -> bool:
        """Whether the exclusive lock of an open file was free, and is now ours."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise
        return True

    def unlock(fd: int) -> None:
        """Give the lock back."""
        fcntl.flock(fd, fcntl.LOCK_UN)
