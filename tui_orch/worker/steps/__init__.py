"""What a worker does to the store: named steps, the same for a worker with the store's file and for one with only the API."""
