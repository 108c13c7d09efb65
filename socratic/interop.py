"""Recipes as LangChain runnables and tools; imported only when somebody asks for one.

Names, descriptions and arguments come from the recipe's signature and docstring. No model lives here.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, get_args, get_origin

from socratic.errors import SocraticError
from socratic.hub import missing_package
from socratic.schema import arguments_of, described_arguments, item_from
from socratic.values import Picture

if TYPE_CHECKING:
    from socratic.recipe import Recipe
    from socratic.tool import BoundOperation


def runnable(recipe: Recipe[..., Any]) -> Any:
    """A Runnable of the recipe's first argument (or a dict of arguments).

    `batch` runs through `.map`, so that pictures share forward passes; the first error is raised, or kept
    in its place with `return_exceptions=True`.
    """
    try:
        from langchain_core.runnables import RunnableLambda
    except ImportError as error:
        raise missing_package(error, "langchain") from error

    class RecipeRunnable(RunnableLambda[Any, Any]):
        """A recipe as LangChain runs it."""

        def batch(
            self, inputs: list[Any], config: Any = None, *, return_exceptions: bool = False, **kwargs: Any
        ) -> list[Any]:
            if any(isinstance(i, dict) for i in inputs):
                return super().batch(inputs, config, return_exceptions=return_exceptions, **kwargs)
            results = [row.error or row.value for row in recipe.map(inputs, **kwargs)]
            if not return_exceptions and (failed := next((r for r in results if isinstance(r, SocraticError)), None)):
                raise failed
            return results

    def call(item: Any) -> Any:
        return recipe(**item) if isinstance(item, dict) else recipe(item)

    return RecipeRunnable(call, name=recipe.__name__)


def tool(recipe: Recipe[..., Any]) -> Any:
    """A StructuredTool. Pictures are given as paths; a `SocraticError` becomes the tool's observation."""
    try:
        from langchain_core.tools import StructuredTool, ToolException
    except ImportError as error:
        raise missing_package(error, "langchain") from error

    def call(**arguments: Any) -> tuple[str, dict[str, Any]]:
        try:
            value = recipe(**arguments)
        except SocraticError as error:
            raise ToolException(str(error)) from error
        return value.say(), json.loads(json.dumps(value.as_dict()))

    return StructuredTool.from_function(
        call,
        name=recipe.__name__,
        description=inspect.getdoc(recipe) or recipe.__name__,
        args_schema=arguments_schema(recipe),
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def operation_tool(operation: BoundOperation[Any, Any]) -> Any:
    """A StructuredTool of one operation of a tool. Pictures are given as paths; errors become the observation."""
    try:
        from langchain_core.tools import StructuredTool, ToolException
    except ImportError as error:
        raise missing_package(error, "langchain") from error

    def call(**arguments: Any) -> tuple[str, Any]:
        try:
            value = operation(item_from(operation.declared, arguments))
        except SocraticError as error:
            raise ToolException(str(error)) from error
        told = value.say() if hasattr(value, "say") else str(value)
        return told, value.as_dict() if hasattr(value, "as_dict") else value

    model = arguments_of(operation.declared)
    return StructuredTool.from_function(
        call,
        name=operation.declared.name,
        description=inspect.cleandoc(model.__doc__ or operation.declared.name),
        args_schema=model,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def arguments_schema(recipe: Recipe[..., Any]) -> Any:
    """A pydantic model of what a caller chooses, with the descriptions of the docstring."""
    from pydantic import Field, create_model

    described = described_arguments(inspect.getdoc(recipe) or "", "Args")
    fields: dict[str, Any] = {}
    for name, parameter in recipe.parameters.items():
        kind = parameter.annotation
        if kind is Picture:
            kind = str
        elif hasattr(kind, "from_source"):  # a film is given as its path
            kind = kind.argument
        elif hasattr(next(iter(get_args(kind)), None), "from_source"):
            kind = list[get_args(kind)[0].argument]  # type: ignore[misc]
        elif get_origin(kind) is not None and Picture in getattr(kind, "__args__", ()):
            kind = list[str]
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[name] = (kind, Field(default, description=described.get(name, name)))
    return create_model(recipe.__name__, **fields)
