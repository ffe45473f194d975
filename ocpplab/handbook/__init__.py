"""The documentation as served: Markdown files of `docs/site`, and a reference made of the API document."""
