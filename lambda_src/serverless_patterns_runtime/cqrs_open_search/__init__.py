"""Views of a `CqrsTable` in OpenSearch."""
