"""What files declare: requirements, locks, Dockerfile, compose."""
