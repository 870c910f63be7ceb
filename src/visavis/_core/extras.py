"""Optional dependencies: imported when used, and a plain message when absent."""

from importlib import import_module
from types import ModuleType


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency.

    Parameters
    ----------
    module : str
        The module to import, for instance ``"pandas"``.
    extra : str
        The extra of visavis that installs it.
    purpose : str
        What needs it, as the beginning of a sentence: ``"Comparison.to_frame"``.

    Raises
    ------
    ImportError
        If the module is not installed, with the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # A missing dependency *of* the module is another fault, not to be reported as this one.
        if error.name is not None and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise ImportError(
            f"{purpose} needs {module}, which is not installed. "
            f'Install it with: pip install "visavis[{extra}]".'
        ) from error
