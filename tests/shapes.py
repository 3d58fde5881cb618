"""Run-time checks of shapes and types, of every function but those that stand in another.

jaxtyping's import hook decorates those too, and so again whenever the outer function is called: a
millisecond, which a loop over tiles or an update of an array has every time. They have no shapes to
be checked (`tests/test_shapes.py`), and their types mypy knows.
"""

import ast

from beartype import beartype as checked
from jaxtyping import _import_hook, install_import_hook

__all__ = ["PACKAGES", "checked", "install"]

# Scenario models are left to pydantic, whose own types beartype cannot check.
PACKAGES = ["learning", "devices", "substrate.assemble", "substrate.data", "substrate.run"]


class _OutermostAlone(_import_hook.JaxtypingTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if any(isinstance(each, ast.FunctionDef) for each in self._parents):
            return node
        return super().visit_FunctionDef(node)


def install() -> None:
    """Check whatever is imported of the packages from now on."""
    _import_hook.JaxtypingTransformer = _OutermostAlone
    install_import_hook(PACKAGES, f"{__name__}.checked")
