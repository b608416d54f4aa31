"""Real stores with pip alone: no Docker, no root, nothing left behind.

Each function starts its own server on a free port of this machine and waits until it answers.
Needs the extra `embedded`.

Example:
    >>> from shared.db import embedded
    >>> with embedded.redis() as store:
    ...     store.url
    'redis://:...@127.0.0.1:.../0'
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
