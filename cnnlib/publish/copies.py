"""The students' copy of a chapter: without solutions, with the stubs still to be run."""

import ast
import copy

from nbformat import NotebookNode


def student(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cells tagged `solution`, and with the outputs of stubs and their checks cleared."""
    result = copy.deepcopy(notebook)
    result.cells = [cell for cell in result.cells if "solution" not in cell.metadata.get("tags", [])]
    for cell in result.cells:
        if cell.cell_type == "code" and is_exercise(cell.source):
            cell.outputs, cell.execution_count = [], None
    return result


def is_exercise(source: str) -> bool:
    """Whether the cell only holds stubs (`def f(x): ...`) and calls of check, comments aside."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic: no stub
        return False
    return bool(statements) and all(is_stub(statement) or is_check(statement) for statement in statements)


def is_stub(statement: ast.stmt) -> bool:
    """Is it `def NAME(...): ...`, perhaps with a docstring?"""
    if not isinstance(statement, ast.FunctionDef):
        return False
    body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
    return [ast.unparse(part) for part in body] == ["..."]


def is_check(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Call(func=ast.Name("check"))):
            return True
    return False
