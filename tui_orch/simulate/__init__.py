"""Trees that are only imagined: the real ``plan`` on a clock that jumps, over a store that is plain Python."""
