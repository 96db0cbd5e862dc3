import { widthOf, type RegisterTable, type RegisterType } from '#shared/profile.ts';
import { numberAt } from '../../scale/registers.ts';

/** Registers that one request read, unsigned 16 bit each. */
export interface Block {
  readonly table: RegisterTable;
  readonly first: number;
  readonly words: readonly number[];
}

/** What the registers held while a known mass was on the scale. */
export interface Observation {
  /** Negative where the scale was made to show less than nothing. */
  readonly weightMg: number;
  readonly blocks: readonly Block[];
}

/** One way to read the weight out of the registers. */
export interface Interpretation {
  readonly table: RegisterTable;
  readonly address: number;
  readonly type: RegisterType;
  readonly order: 'big' | 'little';
  readonly bytes: 'big' | 'little';
  /** Mass of 1 in the value, mg. */
  readonly countMg: number;
  /** Where the sign is: in the value, in a bit, or not seen, since nothing was negative. */
  readonly sign: 'value' | 'unseen' | { readonly address: number; readonly bit: number };
}

/** A scale shows what lies on it to within this part. */
const TOLERANCE = 0.005;

/** A number of fewer counts says too little: every register would fit. */
const FEWEST_COUNTS = 20;

/** A float is in one of these, as mg: mg, g, kg, t, pound. */
const FLOAT_UNITS_MG = [1, 1e3, 1e6, 1e9, 453_592.37];

/** An integer has its point left out. */
const COUNTS_MG = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/** Words of status are looked for so far around the weight. */
const NEAR = 16;

type Encoding = Pick<Interpretation, 'type' | 'order' | 'bytes'>;

const ENCODINGS: readonly Encoding[] = (
  ['int32', 'uint32', 'float32', 'int16', 'uint16'] as const
).flatMap((type) =>
  (['big', 'little'] as const).flatMap((bytes) =>
    (widthOf(type) === 1 ? (['big'] as const) : (['big', 'little'] as const)).map((order) => ({
      type,
      order,
      bytes,
    })),
  ),
);

/**
 * Every way of reading the registers that gives the known mass in each of the observations.
 * @param observations at least one, the first of them not 0; all of the same blocks
 */
export function interpretations(observations: readonly Observation[]): Interpretation[] {
  const [first] = observations;
  if (first === undefined) return [];
  const found = first.blocks.flatMap((block) =>
    block.words.flatMap((_, place) =>
      ENCODINGS.flatMap((encoding) => fitting(observations, block, place, encoding)),
    ),
  );
  const isLess = observations.some(({ weightMg }) => weightMg < 0);
  return found
    .filter(({ type }) => isLess || !type.startsWith('uint'))
    .filter(isOwn)
    .filter((one, _, all) => !all.some((other) => isBetter(other, one, observations)));
}

/**
 * The high word alone comes within the tolerance, so the word on either side of it passes for the low
 * one. The right one moves with the weight; where neither does, the sum is closer with it.
 */
function isBetter(
  one: Interpretation,
  other: Interpretation,
  observations: readonly Observation[],
): boolean {
  const isSame =
    widthOf(one.type) === 2 &&
    one.address !== other.address &&
    one.table === other.table &&
    one.type === other.type &&
    one.bytes === other.bytes &&
    one.countMg === other.countMg &&
    highWord(one) === highWord(other);
  if (!isSame) return false;
  const [moves, otherMoves] = [moving(one, observations), moving(other, observations)];
  if (moves !== otherMoves) return moves;
  return distanceMg(one, observations) < distanceMg(other, observations);
}

const highWord = ({ address, order }: Interpretation): number =>
  order === 'big' ? address : address + 1;

const lowWord = ({ address, order }: Interpretation): number =>
  order === 'big' ? address + 1 : address;

const moving = (one: Interpretation, observations: readonly Observation[]): boolean =>
  new Set(observations.map(({ blocks }) => wordAt(blocks, one.table, lowWord(one)))).size > 1;

function distanceMg(one: Interpretation, observations: readonly Observation[]): number {
  const { table, address, countMg } = one;
  return observations.reduce((sum, { blocks, weightMg }) => {
    const words = [address, address + 1].map((at) => wordAt(blocks, table, at) ?? 0);
    return sum + Math.abs(Math.abs((numberAt(words, 0, one) ?? 0) * countMg) - Math.abs(weightMg));
  }, 0);
}

/** Half of a longer value that fits as a whole says nothing of its own. */
function isOwn(one: Interpretation, _: number, all: readonly Interpretation[]): boolean {
  return !all.some(
    (other) =>
      widthOf(other.type) > widthOf(one.type) &&
      other.table === one.table &&
      other.bytes === one.bytes &&
      other.countMg === one.countMg &&
      other.address === (other.order === 'big' ? one.address - 1 : one.address),
  );
}

function fitting(
  observations: readonly Observation[],
  { table, first }: Block,
  place: number,
  encoding: Encoding,
): Interpretation[] {
  const address = first + place;
  const isSigned = !encoding.type.startsWith('uint');
  const values = observations.map(({ blocks }) => {
    const block = blocks.find((each) => each.table === table && each.first === first);
    return block === undefined ? null : numberAt(block.words, place, encoding);
  });
  const scales = encoding.type === 'float32' ? FLOAT_UNITS_MG : COUNTS_MG;
  const most = Math.max(...observations.map(({ weightMg }) => Math.abs(weightMg)));
  const shown = observations.map(({ weightMg }) => (isSigned ? weightMg : Math.abs(weightMg)));
  return scales.flatMap((countMg): Interpretation[] => {
    const isFloat = encoding.type === 'float32';
    if (!isFloat && most < FEWEST_COUNTS * countMg) return [];
    const toleranceMg = Math.max(TOLERANCE * most, isFloat ? 0 : 2 * countMg);
    const fits = values.every(
      (value, index) =>
        value !== null &&
        Number.isFinite(value) &&
        Math.abs(value * countMg - (shown[index] ?? 0)) <= toleranceMg,
    );
    if (!fits) return [];
    const base = { table, address, ...encoding, countMg };
    const isLess = observations.some(({ weightMg }) => weightMg < 0);
    if (!isLess) return [{ ...base, sign: 'unseen' as const }];
    if (isSigned) return [{ ...base, sign: 'value' as const }];
    return signBits(observations, { table, address }).map((sign) => ({ ...base, sign }));
  });
}

/** Bits near the weight that are 1 whenever it is negative, and never else. */
function signBits(
  observations: readonly Observation[],
  { table, address }: Pick<Interpretation, 'table' | 'address'>,
): { address: number; bit: number }[] {
  const bits: { address: number; bit: number }[] = [];
  for (let near = Math.max(0, address - NEAR); near <= address + NEAR; near += 1) {
    const words = observations.map(({ blocks }) => wordAt(blocks, table, near));
    for (let bit = 0; bit < 16; bit += 1) {
      const isSign = observations.every(({ weightMg }, index) => {
        const word = words[index];
        return typeof word === 'number' && ((word >> bit) & 1) === (weightMg < 0 ? 1 : 0);
      });
      if (isSign) bits.push({ address: near, bit });
    }
  }
  return bits;
}

function wordAt(
  blocks: readonly Block[],
  table: RegisterTable,
  address: number,
): number | undefined {
  const block = blocks.find(
    ({ table: of, first, words }) =>
      of === table && address >= first && address < first + words.length,
  );
  return block?.words[address - block.first];
}
