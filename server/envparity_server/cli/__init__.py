"""The verbs of the server side: `local` runs on a lean install, the others need the extra `server`."""
