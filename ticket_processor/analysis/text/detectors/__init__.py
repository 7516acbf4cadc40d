"""Where personal data and secrets stand in a text: one module for each family, one function for each kind.

By pattern, then confirmed by a checksum, a numbering plan or the words around. Order numbers, dates, amounts and
version numbers stay. All patterns are of bounded length, so time grows linearly with the text. Everything here is
pure; any thread may call it.
"""
