"""桥医's front door: command line, settings, and the wiring of one process out of the rooms."""


def main() -> int:
    """Run the `qiaoyi` command and give its exit status.

    The product is imported here and not above: a process that decodes images imports what its parent was started from.
    """
    from qiaoyi.cli import main as run

    return run()
