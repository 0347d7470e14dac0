"""Which bytes have I, and wake me when there are more."""

from kithara_file.storage.memory import MemoryResource
from kithara_file.storage.resource import Demand, Resource

__all__ = ["Demand", "MemoryResource", "Resource"]
