"""Keeps this project out of the test run around it: tests/pytest_plugin/test_sample_project.py runs it by itself."""

collect_ignore_glob = ["*"]
