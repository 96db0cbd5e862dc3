import { adjust, type FoldOutput } from './journal.ts';
import { LEVELS_PER_MG, massMg } from './level.ts';
import type { BinSetup } from './model.ts';
import { startNoise } from './noise.ts';
import { startPieceWeight, type PieceWeight } from './piece-weight.ts';
import type { Sight } from './plateau.ts';
import { tellRollups } from './rollup.ts';
import type { AppliedSetup, FoldState } from './state.ts';

/** Stock that a level means, in the product's unit, not below nothing. */
function stockAt(level: number, setup: AppliedSetup, piece: PieceWeight | null): number {
  const net = level - setup.tareMg * LEVELS_PER_MG;
  return Math.max(0, piece === null ? massMg(net) : Math.round(net / piece.level));
}

function pieceOf(state: FoldState): PieceWeight | null {
  const { setup, unit } = state;
  if (setup === null || setup.pieceMassMg === null || setup.unit !== 'piece') return null;
  return startPieceWeight(setup.pieceMassMg, unit === 'count');
}

/**
 * The first good reading makes the opening stock, an adjustment from nothing, so that opening +
 * movements = closing holds from the first row of the ledger on.
 */
export function open(state: FoldState, sight: Sight, out: FoldOutput): void {
  const { setup } = state;
  if (setup === null) return;
  const { at, level, variance, spread } = sight;
  if (state.noise.driftPerSecond === 0) startNoise(state.noise, spread);
  state.plateau = { level, variance, at };
  state.piece = pieceOf(state);
  state.firm = false;
  const quantity = stockAt(level, setup, state.piece);
  const slack = openingSlack(state, quantity, variance);
  const mass = massMg(level) - setup.tareMg;
  adjust(state, out, { from: at, at, quantity, slack, massMg: mass });
}

/** 99 % of what catalogue weight and noise leave open. */
function openingSlack(state: FoldState, quantity: number, variance: number): number {
  const { piece } = state;
  if (piece === null) return Math.ceil((2.576 * Math.sqrt(variance)) / LEVELS_PER_MG);
  const total = variance + quantity * (quantity * piece.variance + piece.scatter);
  return Math.round((2.576 * Math.sqrt(total)) / piece.level);
}

/**
 * A dated setup takes effect. Another product leaves the ledger with nothing of the old one and
 * opens anew at the next good reading; another tare or piece mass tells the same level anew.
 */
export function applySetup(state: FoldState, next: BinSetup, out: FoldOutput): void {
  const before = state.setup;
  const { from, product, unit, tareMg, pieceMassMg, capacityMg } = next;
  const applied: AppliedSetup = { from, product, unit, tareMg, pieceMassMg, capacityMg };
  const { plateau } = state;
  if (before === null || plateau === null) {
    state.setup = applied;
    return;
  }
  const at = Math.max(from, state.newestAt);
  if (before.product !== product || before.unit !== unit) {
    const mass = before.tareMg - massMg(plateau.level);
    adjust(state, out, { from: plateau.at, at, quantity: -state.stock, massMg: mass });
    tellRollups(state, out.rollups);
    state.setup = applied;
    state.plateau = null;
    state.piece = null;
    state.candidate = null;
    state.passing = null;
    return;
  }
  state.setup = applied;
  const weighAnew = before.pieceMassMg !== pieceMassMg;
  if (weighAnew || before.tareMg !== tareMg) retell(state, at, weighAnew, out);
}

/**
 * Reads the present level by the present setup and books the difference as an adjustment.
 * @param weighAnew whether the learned weight of a piece no longer holds
 */
export function retell(state: FoldState, at: number, weighAnew: boolean, out: FoldOutput): void {
  const { setup, plateau } = state;
  if (setup === null || plateau === null) return;
  if (weighAnew) state.piece = pieceOf(state);
  state.candidate = null;
  const quantity = stockAt(plateau.level, setup, state.piece) - state.stock;
  if (quantity !== 0) adjust(state, out, { from: plateau.at, at, quantity });
}
