"""A package that is there before its ``__init__`` has run, for an extension inside it that needs nothing of that.

Two of our libraries are a C extension inside a package that imports far more than the extension does. A run that needs
only the extension waits for neither; whoever looks at any other attribute of the package gets the real one.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
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
