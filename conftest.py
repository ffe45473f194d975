"""What holds for every test of the project; fixtures live beside the tests."""

pytest_plugins = ["tests.pytest_contract", "tests.pytest_no_skips", "tests.pytest_one_lab"]
