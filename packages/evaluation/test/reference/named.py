"""Values made from names, by the rule of the goldens' README: inputs are in no file."""

import zlib

import numpy as np


def uniform(name, count):
    state = zlib.crc32(name.encode())
    values = np.empty(count)
    for i in range(count):
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ state >> 15) * (state | 1)) & 0xFFFFFFFF
        t = ((t + ((t ^ t >> 7) * (t | 61) & 0xFFFFFFFF)) ^ t) & 0xFFFFFFFF
        values[i] = (t ^ t >> 14) / 2**32
    return values


def named(name, *shape, low=-1.0, high=1.0):
    return np.float32(low + (high - low) * uniform(name, int(np.prod(shape)))).reshape(shape)
