"""A scale on a serial port of its own: a pseudo-terminal whose other end is told its speed.

argv: speed in Bd, what the eighth bit is (data, even, odd or stop), the request that it answers as hex
(empty: it sends by itself), and its frame as hex. Prints the path of the port. At another speed it
sends garbage and understands nothing, as a scale does. A pseudo-terminal keeps no parity, so the
eighth bit of each byte stands for it.
"""

import os
import select
import sys
import termios
import tty

SPEED = getattr(termios, f"B{sys.argv[1]}")
USE = sys.argv[2]
REQUEST, FRAME = bytes.fromhex(sys.argv[3]), bytes.fromhex(sys.argv[4])
PAUSE_S = 0.03


def on_the_line(text):
    def eighth(byte):
        odd = bin(byte).count("1") % 2
        return {"data": 0, "even": odd, "odd": 1 - odd, "stop": 1}[USE]

    return bytes(byte | eighth(byte) << 7 for byte in text)


master, port = os.openpty()
tty.setraw(master)
tty.setraw(port)
print(os.ttyname(port), flush=True)
heard = b""
while True:
    ready, _, _ = select.select([master], [], [], PAUSE_S)
    if ready:
        heard = (heard + os.read(master, 256))[-64:]
    is_understood = termios.tcgetattr(port)[5] == SPEED
    frame = on_the_line(FRAME) if is_understood else bytes(0xA5 ^ byte for byte in FRAME)
    if not REQUEST:
        os.write(master, frame)
    elif is_understood and heard.endswith(on_the_line(REQUEST)):
        heard = b""
        os.write(master, frame)
