"""`python -m backend.migrations revision "message"`: write a migration to the present tables."""

import argparse
import asyncio

from backend.migrations import revision


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m backend.migrations")
    commands = parser.add_subparsers(required=True)
    writing = commands.add_parser("revision", help="write a migration to the present tables")
    writing.add_argument("message", help="what changes, as a sentence")
    arguments = parser.parse_args()
    print(asyncio.run(revision(arguments.message)))


main()
