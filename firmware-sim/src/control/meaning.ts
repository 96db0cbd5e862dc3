import type { Framing } from '../core/faults.ts';
import { answerBytes, intact, requestBytes } from '../modbus/rtu.ts';

/** One part of what a frame says; labels and words are translated by whoever shows them. */
export interface Term {
  readonly label: Label;
  readonly value: string;
}

type Label =
  | 'text'
  | 'transaction'
  | 'unit'
  | 'function'
  | 'address'
  | 'count'
  | 'values'
  | 'exception'
  | 'broken';

const FUNCTIONS: Readonly<Record<number, string>> = {
  1: 'read coils',
  2: 'read discrete inputs',
  3: 'read holding registers',
  4: 'read input registers',
  5: 'write coil',
  6: 'write register',
  15: 'write coils',
  16: 'write registers',
};
/** Where people count a table's registers from. */
const NUMBER_FROM: Readonly<Record<number, number>> = {
  3: 40_001,
  4: 30_001,
  6: 40_001,
  16: 40_001,
};
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  10: 'gateway path unavailable',
  11: 'gateway target failed to respond',
};
const CONTROLS =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );
const MBAP_BYTES = 7;
/** Unit, function code, CRC. */
const RTU_BYTES = 4;

/**
 * What a piece of bytes says to whoever knows the protocol.
 * @param dir `rx` a request, `tx` an answer
 * @param request the newest request on the line, which says what an answer's values are
 */
export function meaningOf(
  framing: Framing,
  dir: 'rx' | 'tx',
  bytes: Buffer,
  request: Buffer | null,
): Term[] {
  if (framing === 'ascii') return [{ label: 'text', value: textOf(bytes) }];
  return framing === 'mbap' ? mbap(dir, bytes, request) : rtu(dir, bytes, request);
}

/** Printable characters as they are, all others by name. */
export function textOf(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      if (byte < 0x20) return `<${CONTROLS[byte] ?? ''}>`;
      if (byte === 0x7f) return '<DEL>';
      return byte < 0x7f ? String.fromCharCode(byte) : `<${byte.toString(16)}>`;
    })
    .join('');
}

const broken = (value: string): Term => ({ label: 'broken', value });

function mbap(dir: 'rx' | 'tx', bytes: Buffer, request: Buffer | null): Term[] {
  if (bytes.length < MBAP_BYTES + 1) return [broken('shorter than a header')];
  const length = bytes.readUInt16BE(4);
  const end = MBAP_BYTES - 1 + length;
  const head: Term[] = [
    { label: 'transaction', value: String(bytes.readUInt16BE(0)) },
    { label: 'unit', value: String(bytes.readUInt8(6)) },
  ];
  if (bytes.readUInt16BE(2) !== 0) return [broken('protocol is not 0'), ...head];
  if (length < 2 || length > 254) return [broken(`length ${length} is impossible`), ...head];
  const asked = request && request.length > MBAP_BYTES ? request.subarray(MBAP_BYTES) : null;
  const terms = [...head, ...pduTerms(dir, bytes.subarray(MBAP_BYTES, end), asked)];
  if (bytes.length < end) return [broken(`${end - bytes.length} bytes are missing`), ...terms];
  const more = bytes.subarray(end);
  return more.length === 0 ? terms : [...terms, ...mbap(dir, more, request)];
}

function rtu(dir: 'rx' | 'tx', bytes: Buffer, request: Buffer | null): Term[] {
  if (bytes.length < RTU_BYTES) return [broken('shorter than a frame')];
  if (intact(bytes)) return rtuFrame(dir, bytes, request);
  const end = (dir === 'rx' ? requestBytes(bytes) : answerBytes(bytes)) ?? bytes.length;
  const first = bytes.subarray(0, end);
  if (!intact(first)) return [broken('CRC is wrong'), ...rtuFrame(dir, bytes, request)];
  // Of answers in one piece only the last is to the newest request.
  return [...rtuFrame(dir, first, null), ...rtu(dir, bytes.subarray(end), request)];
}

function rtuFrame(dir: 'rx' | 'tx', frame: Buffer, request: Buffer | null): Term[] {
  const asked = request && request.length > RTU_BYTES ? request.subarray(1, -2) : null;
  return [
    { label: 'unit', value: String(frame.readUInt8(0)) },
    ...pduTerms(dir, frame.subarray(1, -2), asked),
  ];
}

function pduTerms(dir: 'rx' | 'tx', pdu: Buffer, asked: Buffer | null): Term[] {
  const code = pdu[0] ?? 0;
  if ((code & 0x80) !== 0) {
    const number = pdu[1] ?? 0;
    const name = EXCEPTIONS[number];
    return [
      functionTerm(code & 0x7f),
      { label: 'exception', value: name ? `${number} ${name}` : String(number) },
    ];
  }
  if (dir === 'rx' || code === 6 || code === 16) return [functionTerm(code), ...requestTerms(pdu)];
  const isRead = (code === 3 || code === 4) && pdu.length >= 2;
  if (!isRead) return [functionTerm(code)];
  const values = pdu.subarray(2);
  const from = asked?.[0] === code && asked.length >= 5 ? addressTerm(code, asked) : [];
  const counted = pdu[1] === values.length ? [] : [broken(`counts ${pdu[1] ?? 0} bytes`)];
  return [functionTerm(code), ...counted, ...from, { label: 'values', value: registers(values) }];
}

function functionTerm(code: number): Term {
  const name = FUNCTIONS[code];
  return { label: 'function', value: name ? `${code} ${name}` : String(code) };
}

function requestTerms(pdu: Buffer): Term[] {
  const code = pdu[0] ?? 0;
  if (pdu.length < 5) return [];
  const address = addressTerm(code, pdu);
  if (code === 6) return [...address, { label: 'values', value: registers(pdu.subarray(3, 5)) }];
  const count: Term = { label: 'count', value: String(pdu.readUInt16BE(3)) };
  if (code !== 16 || pdu.length <= 6) return [...address, count];
  return [...address, count, { label: 'values', value: registers(pdu.subarray(6)) }];
}

/** As on the wire and as in manuals. */
function addressTerm(code: number, pdu: Buffer): Term[] {
  const address = pdu.readUInt16BE(1);
  const from = NUMBER_FROM[code];
  const value = from === undefined ? String(address) : `${address} (${address + from})`;
  return [{ label: 'address', value }];
}

function registers(bytes: Buffer): string {
  const values: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) values.push(String(bytes.readUInt16BE(i)));
  return values.join(' ');
}
