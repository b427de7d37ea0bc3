"""Tests that need a real Docker Engine. Without one they are skipped, saying why; with CI set they fail."""
