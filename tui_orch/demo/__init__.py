"""What shows and tests the product without an account: a scripted model, and a scenario for it to play."""
