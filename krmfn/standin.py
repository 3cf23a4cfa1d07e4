"""Modules that are there before they have been loaded, for an extension that needs next to nothing of them.

Two of our libraries are a C extension inside a package that imports far more than the extension does. A run that needs
only the extension waits for neither; whoever looks at any other attribute of the package gets the real one.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def stand_in(name: str) -> "Any":
    """Register a package whose ``__init__`` has not run, and will run on the first look at an attribute.

    Raises ImportError where there is no such package.
    """
    spec = next((s for finder in sys.meta_path if (s := finder.find_spec(name, None))), None)
    if spec is None or spec.loader is None:
        message = f"{name} is not installed"
        raise ImportError(message, name=name)
    loader = spec.loader
    package: Any = type(sys)(name)
    package.__spec__, package.__loader__, package.__file__ = spec, loader, spec.origin
    package.__package__, package.__path__ = name, list(spec.submodule_search_locations or ())

    def become_real(wanted: str) -> "Any":
        if wanted.startswith("__") or vars(package).pop("__getattr__", None) is None:
            raise AttributeError(wanted)
        loader.exec_module(package)
        return getattr(package, wanted)

    package.__getattr__ = become_real
    sys.modules[name] = package
    return package


def lend(name: str, **offered: object) -> "Callable[[], None]":
    """Register a module that has only what is offered, unless the real one is there; return what takes it away again.

    Whoever asks it for more gets an AttributeError, and has to be content with the real one.
    """
    if name in sys.modules:
        return lambda: None
    lent = sys.modules[name] = type(sys)(name)
    vars(lent).update(offered)

    def take_back() -> None:
        if sys.modules.get(name) is lent:
            del sys.modules[name]

    return take_back
