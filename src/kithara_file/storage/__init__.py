"""Which bytes have I, and wake me when there are more."""

from kithara_file.storage.atomic import AtomicResource
from kithara_file.storage.memory import MemoryResource
from kithara_file.storage.resource import Demand, Resource
from kithara_file.storage.streaming import StreamingResource

__all__ = ["AtomicResource", "Demand", "MemoryResource", "Resource", "StreamingResource"]
