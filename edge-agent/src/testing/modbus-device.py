"""Scales behind Modbus by pymodbus, an implementation that is not ours.

argv: framing (tcp or rtu) and a JSON object: unit -> table (input or holding) -> registers from 0.
Prints the port it listens on. Lines on standard input, `unit table address value`, change registers;
`unit silent` makes a unit fall silent; `unit spoils KIND` has it answer with `exception`, as `stranger`
(of the unit after it), `short` or `long` (a register less or more), until `unit spoils nothing`.
"""

import asyncio
import json
import sys

from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.pdu import ExceptionResponse
from pymodbus.server.async_io import ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

FUNCTIONS = {"holding": 3, "input": 4}


def slave(tables):
    blocks = {name: ModbusSequentialDataBlock(0, words) for name, words in tables.items()}
    empty = ModbusSequentialDataBlock(65000, [0])
    return ModbusSlaveContext(
        hr=blocks.get("holding", empty), ir=blocks.get("input", empty), zero_mode=True
    )


spoilt = {}


def spoil(response):
    kind = spoilt.get(response.unit_id)
    if kind == "exception":
        refusal = ExceptionResponse(response.function_code, 4)
        refusal.unit_id = response.unit_id
        refusal.transaction_id = response.transaction_id
        return refusal, False
    if kind == "stranger":
        response.unit_id += 1
    elif kind == "short":
        response.registers = response.registers[:-1]
    elif kind == "long":
        response.registers = [*response.registers, 1]
    return response, False


async def commands(slaves):
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        unit, what, *rest = line.decode().split()
        if what == "silent":
            del slaves[int(unit)]
        elif what == "spoils":
            spoilt[int(unit)] = rest[0]
        else:
            address, value = map(int, rest)
            slaves[int(unit)].setValues(FUNCTIONS[what], address, [value])
        print("done", flush=True)


async def main():
    framing, units = sys.argv[1], json.loads(sys.argv[2])
    slaves = {int(unit): slave(tables) for unit, tables in units.items()}
    server = ModbusTcpServer(
        ModbusServerContext(slaves=slaves, single=False),
        framer=ModbusRtuFramer if framing == "rtu" else ModbusSocketFramer,
        address=("127.0.0.1", 0),
        ignore_missing_slaves=True,
        response_manipulator=spoil,
    )
    serving = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.wait([serving, asyncio.ensure_future(commands(slaves))])


asyncio.run(main())
