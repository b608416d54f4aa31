from . import callables as callables
from . import checks as checks
from . import faces as faces
from . import forks as forks
from . import loops as loops
from . import redaction as redaction
from . import testing as testing
from . import waiting as waiting

__all__ = [
    "callables",
    "checks",
    "faces",
    "forks",
    "loops",
    "redaction",
    "testing",
    "waiting",
]
