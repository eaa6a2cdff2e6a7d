"""Errors of the sandbox's own API, with a stable code for programs and a Chinese sentence for people."""

from typing import Any

JsonObject = dict[str, Any]


class ApiError(Exception):
    """A request to the sandbox's own API that can't be served; becomes JSON ``{code, message}``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


def bad_request(code: str, message: str) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, code, message)


def not_found(code: str, message: str) -> ApiError:
    """404: what the request names does not exist."""
    return ApiError(404, code, message)


def conflict(code: str, message: str) -> ApiError:
    """409: the request does not fit the present state."""
    return ApiError(409, code, message)
