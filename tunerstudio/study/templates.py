"""Starting points: a model, a search and a training for the task at hand, from `resources/templates/*.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunerstudio.locations import resources_folder
from tunerstudio.study.data import Data, Look, Task
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError, problems_from, suggest
from tunerstudio.study.model import BlocksModel, ModelSpec
from tunerstudio.study.objectives import usual_objective
from tunerstudio.study.search import Search, Training

_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fast one where the library was built with it."""

_M = TypeVar("_M", bound=BaseModel)


_LOOKS: dict[Look, str] = {
    "table": "a table",
    "image": "pictures",
    "text": "a text",
    "series": "a series",
    "itself": "an autoencoder",
}


class TemplateInfo(BaseModel):
    """What a template is for.

    Attributes:
        name: Stable name, the file's without its ending; what `--template` takes.
        looks: What the network may see of a row.
        order: Less comes first; the first that suits is the default.
        kind: Of the model.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    sentence: str
    tasks: tuple[Task, ...]
    looks: tuple[Look, ...]
    order: int = 100
    kind: Literal["blocks", "code", "estimator"] = "blocks"

    def suits(self, data: Data) -> bool:
        """Whether the template can be used with `data`; an unknown task suits every template of its look."""
        return data.look in self.looks and (data.task is None or data.task in self.tasks)


class _Sections(BaseModel):
    """The sections of a study document that a template fills."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSpec = BlocksModel()
    search: Search = Search()
    training: Training = Training()


class _Template(_Sections):
    """One file; `for_task` replaces whole sections for a task."""

    title: str
    sentence: str
    tasks: tuple[Task, ...]
    looks: tuple[Look, ...]
    order: int = 100
    for_task: dict[Task, dict[str, Any]] = Field(default_factory=dict)


def template_names(data: Data) -> list[TemplateInfo]:
    """The templates that suit `data`, the default one first."""
    infos = [_info(path, _read(path)) for path in _files()]
    return sorted((info for info in infos if info.suits(data)), key=lambda info: (info.order, info.name))


def new_document(name: str, data: Data, template: str | None = None) -> StudyDocument:
    """A study called `name` of `data` that runs as it is.

    Args:
        name: Name of the study.
        data: The data section, completed by an inspection (`task` and `image` decide).
        template: Name of a template; None: the first that suits.

    Raises:
        StudyError: If there is no such template, or it does not suit the data; says which do.
    """
    chosen = _choose(data, template)
    sections = _sections(_template_file(chosen), data.task)
    if data.task is None:
        sections = sections.model_copy(
            update={"search": sections.search.model_copy(update={"objective": usual_objective(None)})}
        )
    return StudyDocument(name=name, data=data, model=sections.model, search=sections.search, training=sections.training)


def _choose(data: Data, template: str | None) -> str:
    suiting = [info.name for info in template_names(data)]
    if template is None:
        return suiting[0]
    if template in suiting:
        return template
    every = [path.stem for path in _files()]
    if template in every:
        what = f"{_LOOKS[data.look]} with the task {data.task}"
        message = f"the template {template!r} is not for {what}: use one of {', '.join(suiting)}"
    else:
        message = f"there is no template {template!r}.{suggest(template, every)} Known: {', '.join(every)}"
    raise StudyError([Problem("template", message)])


def _files() -> list[Path]:
    return sorted((resources_folder() / "templates").glob("*.yaml"))


def _template_file(name: str) -> Path:
    return resources_folder() / "templates" / f"{name}.yaml"


def _info(path: Path, template: _Template) -> TemplateInfo:
    fields = template.model_dump(include=set(TemplateInfo.model_fields) - {"name", "kind"})
    return TemplateInfo(name=path.stem, kind=template.model.kind, **fields)


@cache
def _read(path: Path) -> _Template:
    """One file; read once, for a menu asks for all of them several times."""
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=_SAFE_LOADER)
    return _validated(_Template, content, path)


def _sections(path: Path, task: Task | None) -> _Sections:
    template = _read(path)
    content = {name: getattr(template, name) for name in _Sections.model_fields}
    if task is not None:
        content.update(template.for_task.get(task, {}))
    return _validated(_Sections, content, path)


def _validated(kind: type[_M], content: object, path: Path) -> _M:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problems = problems_from(error, content, kind.model_fields)
        raise StudyError([Problem(f"{path.name}: {p.field}", p.message) for p in problems]) from error
