"""How building goes wrong, in the words of the contract's ProvisioningError (gateway contract, 3.8)."""

from typing import Any

from django.conf import settings

LONGEST_MESSAGE = 2000


class BuildFailure(Exception):
    """A step that cannot be done. `retryable`: the same request may succeed later; `tries_again`: so may the step."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        step: str,
        param: str | None = None,
        retryable: bool = False,
        tries_again: bool = False,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.step, self.param = code, message, step, param
        self.retryable, self.tries_again = retryable, tries_again

    def as_json(self) -> dict[str, Any]:
        return problem(self.code, self.message, self.step, param=self.param, retryable=self.retryable)


def problem(code: str, message: str, step: str, *, param: str | None = None, retryable: bool) -> dict[str, Any]:
    return {
        "code": code,
        "message": message[:LONGEST_MESSAGE],
        "step": step,
        "param": param,
        "doc_url": f"{settings.PUBLIC_URL}/docs/ocpi#when-a-build-fails",
        "retryable": retryable,
    }
