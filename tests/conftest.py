"""What holds for all tests: no example of a property fails for taking long, since machines are shared."""

from hypothesis import settings

settings.register_profile("shared machines", deadline=None)
settings.load_profile("shared machines")
