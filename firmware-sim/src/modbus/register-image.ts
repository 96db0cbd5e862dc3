import type { RegisterDevice } from './pdu.ts';

/** Registers in a row that exist, computed when they are asked for. */
export interface RegisterBlock {
  readonly table: 'holding' | 'input';
  /** Wire address of the first. */
  readonly address: number;
  words(): readonly number[];
}

/** @returns the registers asked for; `null` unless one block has them all */
export function readBlocks(blocks: readonly RegisterBlock[]): RegisterDevice['read'] {
  return (table, address, count) => {
    for (const block of blocks) {
      if (block.table !== table || address < block.address) continue;
      const words = block.words();
      const start = address - block.address;
      if (start + count <= words.length) return words.slice(start, start + count);
    }
    return null;
  };
}

/** A 32-bit integer, signed or not, as two registers, high word first. */
export function int32Words(value: number): [high: number, low: number] {
  return [(value >>> 16) & 0xffff, value & 0xffff];
}

/** IEEE 754 single precision as two registers, high word first. */
export function float32Words(value: number): [high: number, low: number] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [view.getUint16(0), view.getUint16(2)];
}

/** @param bits bit number → whether it is set */
export function bitsOf(bits: Readonly<Record<number, boolean>>): number {
  let word = 0;
  for (const [bit, set] of Object.entries(bits)) if (set) word += 2 ** Number(bit);
  return word;
}
