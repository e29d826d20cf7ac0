"""What asks a person something: one file a dialog. Each returns what was decided and does nothing itself."""
