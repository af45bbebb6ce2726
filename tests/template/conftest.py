"""For scanners: cfn-lint asks at every `Fn::GetAtt` what each resource has in each region; here once a template."""

import sys
from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary

import pytest


@pytest.fixture(scope="session", autouse=True)
def attributes_are_listed_once() -> Generator[None]:
    """What it finds is the same; of the shop's eighteen seconds seven are left."""
    if "cfnlint" not in sys.modules:  # which takes a second, and most files here scan nothing
        yield
        return
    from cfnlint.template import Template

    listing = Template.get_valid_getatts
    listed: WeakKeyDictionary[Template, tuple[Any, Any]] = WeakKeyDictionary()

    def once(template: Template) -> Any:
        context, attributes = listed.get(template, (None, None))
        if context is not template.context:
            attributes = listing(template)
            listed[template] = (template.context, attributes)
        return attributes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "get_valid_getatts", once)
        yield
