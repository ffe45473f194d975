"""The reference: the API document as Markdown, a page for each tag and one for the shapes."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ocpplab.api.document import document

Json = dict[str, Any]
OCPP = "/ocpp"
# Said once, on the first page; in the tables they would only hide what is particular.
SHARED_ANSWERS = {"401", "403", "413", "415", "422", "429", "500"}
SHARED_PARAMETERS = {"X-Organization-Id", "Idempotency-Key"}
SHAPES = "reference/shapes"
LONGEST_KIND = 120  # characters in the column of types


def slug_of(tag: str) -> str:
    return "reference/" + re.sub(r"\W+", "-", tag.lower()).strip("-")


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


@cache
def texts() -> dict[str, str]:
    """Slug -> Markdown, in the document's order of tags."""
    tags: list[Json] = document()["tags"]
    pages = {"reference/index": overview(tags)}
    pages |= {slug_of(tag["name"]): "\n".join(tag_page(tag)) for tag in tags}
    return pages | {SHAPES: "\n".join(shapes_page())}


def overview(tags: list[Json]) -> str:
    operations = [one for one in all_operations() if not one[1].startswith(OCPP)]
    lines = [
        "# All routes",
        "",
        "Every route of the API by subject, made from the same description as [`/openapi.json`](/openapi.json).",
        "",
        "All take and give JSON in UTF-8; paths have no slash at the end. Beside what each route lists, any may answer",
        "401, 403, 422 and 500, those with a body 413 and 415, and 429 where the operator has set a rate limit:",
        "see [errors](../errors.md). Lists are [paged, filtered and sorted](../lists.md). Every POST takes an",
        "[`Idempotency-Key`](../errors.md#repeating-a-request), and admin tokens send `X-Organization-Id`.",
        "",
        "To try them in the browser: [Swagger](/docs/api).",
        "",
    ]
    for tag in tags:
        page = slug_of(tag["name"]).removeprefix("reference/")
        lines += [f"## {tag['name']}", "", tag["description"], "", "| | | |", "|---|---|---|"]
        for method, path, operation in operations:
            if tag["name"] in operation["tags"]:
                link = f"[{cell(operation['summary'])}]({page}.md#{operation['operationId']})"
                lines.append(f"| `{method}` | `{path}` | {link} |")
        lines.append("")
    return "\n".join(lines)


def all_operations() -> Iterator[tuple[str, str, Json]]:
    """(METHOD, path, operation)."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def tag_page(tag: Json) -> Iterator[str]:
    yield from (f"# {tag['name']}", "", tag["description"], "")
    for method, path, operation in all_operations():
        if tag["name"] in operation["tags"] and not path.startswith(OCPP + "/"):
            yield from operation_section(method, path, operation)


def operation_section(method: str, path: str, operation: Json) -> Iterator[str]:
    yield from (f"## {operation['operationId']}", "", f"**{operation['summary']}.**", "")
    yield from (f"`{method} {path}`", "")
    if operation.get("description"):
        yield from (operation["description"], "")
    yield from parameters(operation)
    yield from body(operation)
    yield from answers(operation)
    twin = document()["paths"].get(OCPP + path, {}).get(method.lower())
    if twin is not None:
        yield from (twin_sentence(OCPP + path, operation, twin), "")


def twin_sentence(path: str, operation: Json, twin: Json) -> str:
    """The same operation below `/ocpp`, and what it answers where that is another shape."""
    ours, theirs = success(operation), success(twin)
    if ours == theirs:
        return f"Also at `{path}`."
    return f"Also at `{path}`, which answers {theirs[0]} with {theirs[1]}."


def _schema(content: Json) -> Json:
    """The schema of the one media type an answer has; {} where it has no body."""
    media: list[Json] = list(content.values())
    schema: Json = media[0].get("schema", {}) if media else {}
    return schema


def success(operation: Json) -> tuple[str, str]:
    code = next(code for code in operation["responses"] if code.startswith("2"))
    content = operation["responses"][code].get("content", {})
    schema = _schema(content)
    return code, kind(schema, "") or "nothing"


def parameters(operation: Json) -> Iterator[str]:
    """A long list of words stands with the description: the column of types is narrow."""
    own = [one for one in operation.get("parameters", []) if one["name"] not in SHARED_PARAMETERS]
    if not own:
        return
    yield from ("| Parameter | In | Type | |", "|---|---|---|---|")
    for one in own:
        shown, words = kind(one["schema"]), str(one.get("description", ""))
        if len(shown) > LONGEST_KIND:
            words = f"{words.rstrip('.')}: {shown.removeprefix('list of ')}"
            shown = "list of words" if shown.startswith("list of ") else "word"
        need = "required" if one.get("required") and one["in"] != "path" else ""
        words = "; ".join(filter(None, (need, words.rstrip("."), bounds(one["schema"]))))
        yield f"| `{one['name']}` | {one['in']} | {shown} | {cell(words)} |"
    yield ""


def body(operation: Json) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        return
    schema = resolved(content["schema"])
    if schema.get("properties"):
        yield from ("Body:", "", *fields(dict(schema)))
    elif name := kind(content["schema"]):
        yield from (f"Body: {name}.", "")
    for example in examples(content):
        yield from ("```json", json.dumps(example, indent=2, ensure_ascii=False), "```", "")


def examples(content: Json) -> list[Any]:
    if "example" in content["schema"]:
        return [content["schema"]["example"]]
    return [one["value"] for one in content.get("examples", {}).values()]


def answers(operation: Json) -> Iterator[str]:
    yield from ("| Answer | | |", "|---|---|---|")
    for code, answer in operation["responses"].items():
        if code not in SHARED_ANSWERS:
            schema = _schema(answer.get("content", {}))
            yield f"| {code} | {kind(schema)} | {cell(answer.get('description', ''))} |"
    yield ""


def shapes_page() -> Iterator[str]:
    yield from ("# Shapes", "", "Every JSON object that requests and answers are made of, with its fields.", "")
    for name, schema in document()["components"]["schemas"].items():
        if schema.get("properties"):
            yield from (f"## {name}", "")
            yield from ((schema["description"], "") if schema.get("description") else ())
            yield from fields(schema)


def fields(schema: Json) -> Iterator[str]:
    required = schema.get("required", ())
    yield from ("| Field | Type | |", "|---|---|---|")
    for name, one in schema["properties"].items():
        need = "" if name in required else "may be absent"
        words = "; ".join(filter(None, (need, bounds(one), one.get("description", ""))))
        yield f"| `{name}` | {kind(one)} | {cell(words)} |"
    yield ""


def bounds(schema: Mapping[str, Any]) -> str:
    """The limits that a schema states, in words."""
    said = []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        said.append(f"{least} to {most}")
    elif least is not None or most is not None:
        said.append(f"at least {least}" if most is None else f"at most {most}")
    if "maxLength" in schema:
        said.append(f"at most {schema['maxLength']} characters")
    if "maxItems" in schema:
        said.append(f"at most {schema['maxItems']}")
    if "default" in schema:
        default = schema["default"]
        said.append(f"default `{default if isinstance(default, str) else json.dumps(default)}`")
    return ", ".join(said)


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return document()["components"]["schemas"][reference.rsplit("/", 1)[-1]] if reference else schema


def kind(schema: Mapping[str, Any], base: str = "shapes.md") -> str:
    """The type in a few words, with a link to the shape where it is a named object."""
    if "$ref" in schema:
        return named(schema["$ref"].rsplit("/", 1)[-1], base)
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            parts = dict.fromkeys(kind(one, base) for one in schema[word])
            return " or ".join(part for part in parts if part) + (" or null" if schema.get("nullable") else "")
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"] if one is not None)
    name = str(schema.get("type", ""))
    if name == "array":
        name = f"list of {kind(schema['items'], base)}"
    elif schema.get("format") in ("date-time", "uuid", "uri"):
        name = {"date-time": "timestamp", "uuid": "UUID", "uri": "URL"}[schema["format"]]
    return name + (" or null" if schema.get("nullable") else "")


def named(name: str, base: str) -> str:
    target = document()["components"]["schemas"].get(name, {})
    if not target.get("properties"):
        return kind(target, base)
    return f"[{name}]({base}#{name.lower()})" if base else name
