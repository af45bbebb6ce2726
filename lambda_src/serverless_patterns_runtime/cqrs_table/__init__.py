"""The write model: commands decide, and every change of an aggregate has a version."""
