"""The tests of what the tests are run against."""
