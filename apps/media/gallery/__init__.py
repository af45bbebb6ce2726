"""The media app's demo: what is uploaded, what must hold of it, and how it is shown."""
