"""What the tests of all OpenAI tools share: the key, and the error of a request that must fail without showing it."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest

from socratic.errors import SocraticError

KEY = "sk-very-secret-0123456789"


def failed(asking: Callable[[], object]) -> SocraticError:
    """The error of a request that must fail, after a look for the key in all that a user could see of it."""
    with pytest.raises(SocraticError) as caught:
        asking()
    shown = "".join(traceback.format_exception(caught.value)) + str(caught.value.as_dict()) + repr(caught.value)
    assert KEY not in shown and KEY[3:15] not in shown
    return caught.value
