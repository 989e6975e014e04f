"""Blocks in bytes: what a miner makes of a template."""

import hashlib
import struct


def double_sha256(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def with_length(data):
    assert len(data) < 0xFD
    return bytes([len(data)]) + data


class Candidate:
    """The block of a template, with a coinbase transaction of the miner's."""

    def __init__(self, block, coinbase, path, extra):
        self.version, self.previous = struct.unpack_from("<i32s", block)
        self.time, self.bits = struct.unpack_from("<II", block, 68)
        self.nonce = 0
        self.path = [bytes(node) for node in path]
        self.count = block[80]
        self.others = block[end_of_coinbase(block, 81) :]
        self.coinbase_version = coinbase.version
        self.sequence = coinbase.sequence
        self.script = bytes(coinbase.scriptSigPrefix) + extra
        self.witness = bytes(coinbase.witness)
        self.reward = coinbase.blockRewardRemaining
        self.required_outputs = [bytes(output) for output in coinbase.requiredOutputs]
        self.lock_time = coinbase.lockTime

    def coinbase(self, with_witness=True):
        outputs = [struct.pack("<q", self.reward) + with_length(b"\x51")] + self.required_outputs
        content = b"\x01" + bytes(32) + b"\xff" * 4 + with_length(self.script) + struct.pack("<I", self.sequence)
        content += bytes([len(outputs)]) + b"".join(outputs)
        version, lock_time = struct.pack("<I", self.coinbase_version), struct.pack("<I", self.lock_time)
        if with_witness:
            return version + b"\x00\x01" + content + b"\x01" + with_length(self.witness) + lock_time
        return version + content + lock_time

    def header(self):
        root = double_sha256(self.coinbase(with_witness=False))
        for node in self.path:
            root = double_sha256(root + node)
        return struct.pack("<i32s32sIII", self.version, self.previous, root, self.time, self.bits, self.nonce)

    def hash(self):
        return double_sha256(self.header())[::-1].hex()

    def solve(self):
        target = (self.bits & 0xFFFFFF) << (8 * ((self.bits >> 24) - 3))
        self.nonce = 0
        while int(self.hash(), 16) > target:
            self.nonce += 1
        return self

    def bytes(self, with_witness=True):
        return self.header() + bytes([self.count]) + self.coinbase(with_witness) + self.others

    def solution(self, with_witness=True):
        """The arguments of submitSolution."""
        return self.version, self.time, self.nonce, self.coinbase(with_witness)


def end_of_coinbase(block, start):
    """Where the first transaction ends: it has one input and a witness with one element."""
    at = start + 4 + 2 + 1 + 36
    at += 1 + block[at] + 4
    outputs = block[at]
    at += 1
    for _ in range(outputs):
        at += 8
        at += 1 + block[at]
    assert block[at] == 1
    at += 1
    return at + 1 + block[at] + 4
