"""How applications are configured: the files that the operator names, and the services of systemd."""
