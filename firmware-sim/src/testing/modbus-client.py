"""Reads registers and bits by pymodbus, an implementation that is not ours.

argv: `tcp` and a port or `rtu` and a path, and a JSON list of [unit, table, address, count].
Prints a JSON list of what was read, each a list of numbers, or a text that says why not.
"""

import json
import sys

from pymodbus.client import ModbusSerialClient, ModbusTcpClient

how, where, requests = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client = (
    ModbusTcpClient("127.0.0.1", port=int(where), timeout=30)
    if how == "tcp"
    else ModbusSerialClient(port=where, baudrate=115200, timeout=30)
)
if not client.connect():
    sys.exit("no connection")
READ = {
    "holding": client.read_holding_registers,
    "input": client.read_input_registers,
    "coil": client.read_coils,
    "discrete": client.read_discrete_inputs,
}


def read(unit, table, address, count):
    answer = READ[table](address, count, slave=unit)
    if answer.isError():
        return str(answer)
    if table in ("coil", "discrete"):
        return [int(bit) for bit in answer.bits[:count]]
    return list(answer.registers)


print(json.dumps([read(*request) for request in requests]))
client.close()
