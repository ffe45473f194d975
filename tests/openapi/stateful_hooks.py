"""Loaded by the schemathesis program (SCHEMATHESIS_HOOKS): the same hooks as in the other tests."""

import json
import os

import schemathesis

from tests.openapi import generation

generation.KNOWN.update(json.loads(os.environ["KNOWN_IDS"]))
schemathesis.hook(generation.map_path_parameters)
schemathesis.hook(generation.map_query)
schemathesis.hook(generation.map_body)
