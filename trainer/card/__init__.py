"""The model card, as Markdown and as a page."""
