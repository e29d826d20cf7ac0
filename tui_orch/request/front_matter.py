"""The YAML block at the top of a Markdown request: where it ends, and its keys and values.

Takes the plain part of YAML that a config needs: no tags, anchors, aliases, merges or repeated keys, so that
a block is what it looks like, and reading it costs no more than its length. ``limits`` judges keys and values.
"""

from typing import Any, cast

import yaml

from tui_orch.request.errors import RequestError, show

#: Bytes of UTF-8 that the block may hold.
MAX_FRONT_MATTER_BYTES = 65_536

_OPEN = "---"
_CLOSE = ("---", "...")
_MAX_NESTING = 8
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_TEXT = "tag:yaml.org,2002:str"


def cut(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Return the mapping at the top of ``text`` (LF line ends; without a block, empty) and the text below it.

    Raises RequestError: not closed, too long, no YAML, no mapping.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != _OPEN:
        return {}, text
    size = 0
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() in _CLOSE:
            return _parsed("\n".join(lines[1:index]), where), "\n".join(lines[index + 1 :])
        size += len(line.encode()) + 1
        if size > MAX_FRONT_MATTER_BYTES:
            raise RequestError(
                f"{where}: the front matter may hold {MAX_FRONT_MATTER_BYTES} bytes; "
                "close it with a line of three dashes (---)"
            )
    raise RequestError(f"{where}: line 1 opens front matter; close it with a line of three dashes (---)")


def _parsed(block: str, where: str) -> dict[str, Any]:
    try:
        values = yaml.load(block, Loader=_PlainLoader)  # noqa: S506 - a SafeLoader that takes still less
    except yaml.MarkedYAMLError as error:
        at = f", line {error.problem_mark.line + 2}" if error.problem_mark else ""
        raise RequestError(f"{where}: the front matter is not plain YAML{at}: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:  # a character or a number that YAML can not hold
        raise RequestError(f"{where}: the front matter is not plain YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RequestError(f"{where}: the front matter must be a mapping (key: value), not {show(values)}")
    return values


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader without what a config does not need; dates stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way to configure a loader
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, block: str) -> None:
        super().__init__(block)
        self._nesting = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise self._refusal("tags (!), anchors (&) and aliases (*) are not allowed; put text in quotes", event)
        if self._nesting == _MAX_NESTING:
            raise self._refusal("it is nested too deeply", event)
        self._nesting += 1
        node = super().compose_node(parent, index)
        self._nesting -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != _TEXT:
                raise self._refusal("a key must be a word", key)
            if key.value in seen:
                raise self._refusal(f"the key {show(key.value)} is given twice; keep one", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    @staticmethod
    def _refusal(problem: str, at: yaml.Event | yaml.Node) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=cast("yaml.error.Mark | None", at.start_mark))
