"""Passwords and tokens at the command line, from where no list of processes shows them."""

import getpass
import os
import sys

from backend.errors import InvalidInput


def read_secret(variable: str, question: str) -> str:
    """Give the value of an environment variable; where it is not set ask a person, or read a line of standard input.

    Raises:
        InvalidInput: nothing came.
    """
    given = os.environ.get(variable)
    if given is None and sys.stdin.isatty():
        given = getpass.getpass(question)
    if given is None:
        given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InvalidInput(f"没有读到密码：请写在环境变量{variable}里，或者从标准输入送进来。")
    return given
