"""Reviewed data files: a folder of JSON documents, each under its own slug, all judged by one rule."""

import json
from pathlib import Path
from typing import Any

from catalog.shapes import Rule


class InvalidDocuments(Exception):
    """The files break their rules; `problems` are sentences that begin with the file's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_documents(folder: Path, rule: Rule) -> list[dict[str, Any]]:
    """Every file of the folder, by name. Raises InvalidDocuments with all problems of all files."""
    documents: list[dict[str, Any]] = []
    problems: list[str] = []
    paths = sorted(folder.glob("*.json"))
    for path in paths:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            problems.append(f"{path.name}: not JSON: {error}")
            continue
        found = [f"{path.name}: {problem}" for problem in rule(document, "")]
        # Under its own name: so no two files can claim one slug.
        if not found and document["slug"] != path.stem:
            found = [f"{path.name}: slug: {document['slug']!r} must be the name of the file"]
        problems += found
        documents.append(document)
    if not paths:
        problems.append(f"{folder}: no data files")
    if problems:
        raise InvalidDocuments(problems)
    return documents
