import { Failure } from '#shared/failure.ts';
import {
  REGISTER_TABLES,
  spanOf,
  type RegisterProfile,
  type RegisterTable,
} from '#shared/profile.ts';
import type { ModbusLine } from '../scale/modbus-line.ts';
import { decodeRegisters } from '../scale/registers.ts';
import type { Block } from './core/interpretation.ts';

/** Where indicators keep their weight: at the beginning. What else is asked for, the profiles say. */
export const FIRST_REGISTERS = 64;

/** Some give no more than this at once (Laumas, CAS). */
const AT_ONCE = 32;

/** Exceptions that say that nobody is there: gateway path, gateway target. */
const NOBODY = new Set([0x0a, 0x0b]);

export interface Unit {
  readonly line: ModbusLine;
  readonly unit: number;
  readonly timeoutMs: number;
}

/** Some do not hear what comes right after an answer; here nobody is in a hurry. */
const PAUSE_MS = 20;

/** A request that gets no answer is asked once more: one byte in a thousand is lost on a bad line. */
const TRIES = 2;

/** Reads without ever writing: functions 3 and 4 only. @returns `null` where it answers no registers */
async function read(
  { line, unit, timeoutMs }: Unit,
  { table, first, count }: { table: RegisterTable; first: number; count: number },
): Promise<readonly number[] | null> {
  const limits = { timeoutMs, pauseMs: PAUSE_MS };
  for (let tried = 0; tried < TRIES; tried += 1) {
    try {
      const answer = await line.exchange({ unit, table, first, count }, limits);
      return answer.ok ? answer.words : null;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'link-down') throw error;
      await line.drain();
    }
  }
  // Some do not answer at all where they have no register.
  return null;
}

/** Whether somebody answers at this unit id, be it with an exception. */
export async function answers({ line, unit, timeoutMs }: Unit): Promise<boolean> {
  for (const table of REGISTER_TABLES) {
    try {
      const request = { unit, table, first: 0, count: 1 };
      const answer = await line.exchange(request, { timeoutMs, pauseMs: PAUSE_MS });
      return answer.ok || !NOBODY.has(answer.exception);
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'link-down') throw error;
      await line.drain();
      if (error.code === 'scale-silent') return false;
    }
  }
  return false;
}

/** The first registers of both tables; what is refused in one piece is asked for in smaller ones. */
export async function firstBlocks(unit: Unit): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const table of REGISTER_TABLES) {
    for (let first = 0; first < FIRST_REGISTERS; first += AT_ONCE) {
      blocks.push(...(await pieces(unit, { table, first, count: AT_ONCE })));
    }
  }
  return joined(blocks);
}

async function pieces(
  unit: Unit,
  at: { table: RegisterTable; first: number; count: number },
): Promise<Block[]> {
  const words = await read(unit, at);
  if (words !== null) return [{ table: at.table, first: at.first, words }];
  if (at.count <= 2) return [];
  const half = at.count / 2;
  const lower = await pieces(unit, { ...at, count: half });
  // Where the beginning is not there, the end is not either: tables have no holes at the beginning.
  if (lower.length === 0) return [];
  return [...lower, ...(await pieces(unit, { ...at, first: at.first + half, count: half }))];
}

/** Blocks that follow one another become one, so that a value may lie across their border. */
function joined(blocks: readonly Block[]): Block[] {
  const all: { table: RegisterTable; first: number; words: number[] }[] = [];
  for (const { table, first, words } of blocks) {
    const last = all.at(-1);
    const follows = last?.table === table && last.first + last.words.length === first;
    if (follows) last.words.push(...words);
    else all.push({ table, first, words: [...words] });
  }
  return all;
}

/** The registers of a profile in one request, as the agent will ask for them; `null` where refused. */
export async function profileWords(
  unit: Unit,
  profile: RegisterProfile,
): Promise<readonly number[] | null> {
  return await read(unit, { table: profile.table, ...spanOf(profile) });
}

const COUNTS_MG = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/** A scale shows what lies on it to within this part. */
const TOLERANCE = 0.005;

/** An integer of fewer counts says too little. */
const FEWEST_COUNTS = 20;

/**
 * The masses of 1 in the register that make this profile say the known mass.
 * @returns `[null]` where the profile knows its unit and fits, empty where it does not fit
 */
export function fittingCounts(
  profile: RegisterProfile,
  words: readonly number[],
  weightMg: number,
): (number | null)[] {
  const counts = profile.unit === undefined ? COUNTS_MG : [null];
  // A float has digits after its point.
  const isCounted = profile.value.type !== 'float32';
  return counts.filter((countMg) => {
    const decoded = decodeRegisters(profile, words, countMg);
    if (!decoded.ok) return false;
    const stepMg = isCounted ? (countMg ?? 1) : 1;
    if (weightMg !== 0 && Math.abs(weightMg) < FEWEST_COUNTS * stepMg) return false;
    const toleranceMg = Math.max(TOLERANCE * Math.abs(weightMg), stepMg);
    return Math.abs(decoded.massMg - weightMg) <= toleranceMg;
  });
}
