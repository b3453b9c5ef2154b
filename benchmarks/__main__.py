"""Run the named benchmarks, or all that end within minutes."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("adc", "reading", "models", "pipeline", "report", "studies_page", "dicomweb", "throughput")
LONG = frozenset({"throughput"})
"""Run only when named."""


def main(names: list[str]) -> int:
    """Run each benchmark in turn; return the exit status."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names or [name for name in NAMES if name not in LONG]:
        import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
