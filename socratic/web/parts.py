"""Two of gradio's parts that show pictures by address, so that no copy lies in gradio's cache. Imported with gradio only."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.components.annotated_image import Annotation
from gradio.data_classes import FileData, ImageData


def file_at(url: str) -> FileData:
    """A picture that the browser gets from this address."""
    return FileData(path=url, url=url, mime_type="image/png")


class Derived(ComponentMeta):
    """Makes a part from another of gradio's, with its events, and does not write a `.pyi` file beside this one."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        return ABCMeta.__new__(cls, name, bases, attrs)


class LinkedImageSlider(gr.ImageSlider, metaclass=Derived):
    """Takes the addresses of the picture before and the one after."""

    is_template = True  # gradio draws it as the part that it is made from

    def postprocess(self, value: Any) -> Any:
        if value is None:
            return None
        before, after = (ImageData(path=url, url=url, mime_type="image/png") for url in value)
        return self.data_model(root=(before, after))


class LinkedRegions(gr.AnnotatedImage, metaclass=Derived):
    """Takes the address of a picture, and for each region that of its mark and its label."""

    is_template = True

    def postprocess(self, value: Any) -> Any:
        if value is None:
            return None
        picture, marks = value
        return self.data_model(image=file_at(picture), annotations=[Annotation(image=file_at(url), label=label) for url, label in marks])  # fmt: skip
