"""What otari knows about money, keys and requests. Pure: no clock, no random, no I/O."""
