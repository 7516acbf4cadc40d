"""A local imitation of the Zendesk Support API or the Freshdesk API, and of an OpenAI-compatible API.

The core, ``app.Sandbox``, is a function from request to response with its own state and its own clock, and does no I/O;
``app.SandboxServer`` puts it behind HTTP on this machine. It imports nothing from the rest of the package, so it
cannot share the clients' mistakes.
"""
