"""Run the named benchmarks, or all of them."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("adc", "reading", "models", "pipeline")


def main(names: list[str]) -> int:
    """Run each benchmark in turn; return the exit status."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names or NAMES:
        import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
