"""What a program needs that asks for jobs and waits for them, whether it is a person's or a worker's."""
