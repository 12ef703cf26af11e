"""The web pages: server-rendered, readable without JavaScript, one page per file."""
