"""The pages, as scripts that Streamlit runs. What they show is worked out elsewhere."""
