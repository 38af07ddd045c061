"""A web page for translating and for seeing what the mechanisms did, and its JSON interface.

`server` answers requests, `forms` says what they look like, `texts` cuts what was typed into
sentences, `worker` translates for many requests at once and has a `memory`, and `drawing` shows an
explanation: on the page, and in one file that needs no server. `static` holds what a browser loads.
"""
