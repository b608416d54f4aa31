"""Ids of eight forked processes: none twice, and each process's ids rise."""

from __future__ import annotations

import itertools
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np

from shared.ids import generate_id

PROCESSES = 8


def make(path: str, count: int) -> None:
    """Write the ids of one process; the file's ending says whether they rose."""
    found = [generate_id() for _ in range(count)]
    rose = all(a < b for a, b in itertools.pairwise(found))
    Path(path).with_suffix(".rose" if rose else ".fell").write_bytes("".join(found).encode())


def count(total: int) -> tuple[int, int, int]:
    """Return how many ids there are, how many of them twice, and how many processes fell."""
    context = multiprocessing.get_context("fork")
    generate_id()  # the children begin with the state of the parent
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{n}" for n in range(PROCESSES)]
        workers = [context.Process(target=make, args=(name, total // PROCESSES)) for name in names]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        files = sorted(Path(folder).iterdir())
        ids = np.sort(np.concatenate([np.fromfile(file, dtype="S26") for file in files]))
        return (
            len(ids),
            int((ids[1:] == ids[:-1]).sum()),
            sum(file.suffix == ".fell" for file in files),
        )


if __name__ == "__main__":
    print(count(10_000_000))
