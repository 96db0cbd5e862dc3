"""Listens at NOTIFY_SOCKET (argv 1) as systemd does: prints every state, and lets barriers pass."""

import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("listening", flush=True)
while True:
    message, handles, _, _ = socket.recv_fds(listener, 4096, 4)
    for handle in handles:
        os.close(handle)
    for state in message.decode().splitlines():
        if state != "BARRIER=1":
            print(state, flush=True)
