import { LEVELS_PER_MG } from './level.ts';

/** The weight of a piece as learned in this bin; the catalogue's is only where it starts. */
export interface PieceWeight {
  level: number;
  /** Of `level`, squared levels; 0 where the scale counts by itself. */
  variance: number;
  /** Variance of single pieces around it, squared levels. */
  scatter: number;
}

/** Standard deviation of catalogue weights, relative: they are often 1 to 2 % off. */
const CATALOGUE_ERROR = 0.015;
/** Scatter of single pieces before any was seen, relative: about that of screws. */
const FIRST_SCATTER = 0.01;
const LEAST_SCATTER = 0.001;
const MOST_SCATTER = 0.1;
/** The scatter's memory, in changes. */
const SCATTER_MEMORY = 32;
/** Never surer of the weight than this, relative: lots differ, and learning must go on. */
const LEAST_ERROR = 0.0005;
/** How far a new lot's weight may lie from the last one's, relative. */
const LOT_ERROR = 0.001;

function square(x: number): number {
  return x * x;
}

export function startPieceWeight(pieceMassMg: number, counted: boolean): PieceWeight {
  const level = pieceMassMg * LEVELS_PER_MG;
  return counted
    ? { level, variance: 0, scatter: 0 }
    : {
        level,
        variance: Math.round(square(level * CATALOGUE_ERROR)),
        scatter: Math.round(square(level * FIRST_SCATTER)),
      };
}

/**
 * Learns from a change whose number of pieces is beyond doubt.
 * @param error of the change against `pieces` of the present weight, levels
 * @param variance of the change, squared levels, including the piece's own
 */
export function learnPiece(
  piece: PieceWeight,
  pieces: number,
  error: number,
  variance: number,
): void {
  if (piece.variance === 0) return;
  const own = pieces * pieces * piece.variance;
  const count = Math.abs(pieces);
  // Only where scatter is a good part of the whole does the error tell anything of it.
  if (count * piece.scatter * 4 > variance - own) {
    const seen = (error * error - (variance - count * piece.scatter)) / count;
    const scatter = piece.scatter + (seen - piece.scatter) / SCATTER_MEMORY;
    const least = square(piece.level * LEAST_SCATTER);
    const most = square(piece.level * MOST_SCATTER);
    piece.scatter = Math.round(Math.min(most, Math.max(least, scatter)));
  }
  const gain = (pieces * piece.variance) / variance;
  piece.level = Math.max(1, piece.level + Math.round(gain * error));
  const left = piece.variance * (1 - own / variance);
  piece.variance = Math.round(Math.max(left, square(piece.level * LEAST_ERROR)));
}

/** A refill may bring another lot. */
export function expectNewLot(piece: PieceWeight): void {
  if (piece.variance > 0) piece.variance += Math.round(square(piece.level * LOT_ERROR));
}
