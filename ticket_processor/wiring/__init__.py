"""Settings to objects: the only place that picks an implementation."""
