"""The routes of the HTTP API, one module per noun, and the pages."""
