"""The site's own articles: read from its sources, cut into passages, and searched."""
