"""Which bytes have I, and wake me when there are more."""
