"""The documentation as the product serves it: Markdown files of `docs/site`, and a reference made of the API document."""
