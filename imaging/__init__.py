"""What a picture is and what can be computed from it: pure functions and frozen values."""
