"""What the import hook checks, and that nothing with a shape is left out."""

import ast
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError

from devices.activations import staircase
from learning.losses import cross_entropy
from tests.shapes import PACKAGES

ROOT = Path(__file__).parents[1]


def nested(tree: ast.AST) -> list[ast.FunctionDef]:
    found: dict[int, ast.FunctionDef] = {}
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef):
            for inner in ast.walk(outer):
                if isinstance(inner, ast.FunctionDef) and inner is not outer:
                    found[id(inner)] = inner
    return list(found.values())


def has_shapes(function: ast.FunctionDef) -> bool:
    """Whether an annotation has a string in it, as every shape is."""
    every = [each.annotation for each in ast.walk(function.args) if isinstance(each, ast.arg)]
    parts = [part for each in (*every, function.returns) if each for part in ast.walk(each)]
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in parts)


def test_no_function_within_another_has_a_shape_to_be_checked():
    count, shaped = 0, []
    for package in PACKAGES:
        for path in (ROOT / package.replace(".", "/")).rglob("*.py"):
            for function in nested(ast.parse(path.read_text())):
                count += 1
                if has_shapes(function):
                    shaped.append(f"{path.relative_to(ROOT)}:{function.lineno}")
    assert count > 20
    assert not shaped


def test_shapes_are_checked_as_a_function_is_called():
    with pytest.raises(TypeCheckError, match="batch classes"):
        cross_entropy(torch.zeros(3), torch.zeros(3, dtype=torch.long))


def test_a_function_is_decorated_when_it_is_imported_and_not_whenever_it_is_reached():
    assert hasattr(staircase, "__wrapped__")
    assert not hasattr(staircase(3), "__wrapped__")
