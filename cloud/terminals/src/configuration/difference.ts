/** `at`: number of the line, 1-based: of a removed one in the text before, else in the one after. */
export type DifferenceLine =
  | { readonly kind: 'same' | 'added' | 'removed'; readonly at: number; readonly text: string }
  /** So many lines that are the same were left out, from `at` on. */
  | { readonly kind: 'skipped'; readonly at: number; readonly count: number };

/** Lines shown around what differs. */
const CONTEXT = 3;

/** What makes `before` into `after`, line by line, by their longest common subsequence. */
export function differenceOf(before: string, after: string): DifferenceLine[] {
  return shortened(compare(linesOf(before), linesOf(after)));
}

const linesOf = (text: string): string[] =>
  text === '' ? [] : text.replace(/\n$/, '').split('\n');

type Compared = Extract<DifferenceLine, { text: string }>;

function compare(before: readonly string[], after: readonly string[]): Compared[] {
  const common = commonLengths(before, after);
  const lines: Compared[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh) {
      lines.push({ kind: 'same', at: j + 1, text: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && lengthAt(common, i + 1, j) >= lengthAt(common, i, j + 1)) {
      lines.push({ kind: 'removed', at: i + 1, text: old });
      i += 1;
    } else {
      lines.push({ kind: 'added', at: j + 1, text: fresh ?? '' });
      j += 1;
    }
  }
  return lines;
}

/** Of every pair of tails, how many lines they have in common; below 0 beyond the end of `after`. */
function commonLengths(before: readonly string[], after: readonly string[]): Int32Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Int32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const [row, below] = [rows[i], rows[i + 1]];
    if (row === undefined || below === undefined) continue;
    for (let j = after.length - 1; j >= 0; j -= 1) {
      row[j] =
        before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return rows;
}

const lengthAt = (rows: readonly Int32Array[], i: number, j: number): number => rows[i]?.[j] ?? -1;

function shortened(lines: readonly Compared[]): DifferenceLine[] {
  const near = new Set<number>();
  for (const [place, { kind }] of lines.entries()) {
    if (kind === 'same') continue;
    for (let by = -CONTEXT; by <= CONTEXT; by += 1) near.add(place + by);
  }
  const shown: DifferenceLine[] = [];
  for (const [place, line] of lines.entries()) {
    const last = shown.at(-1);
    if (near.has(place)) shown.push(line);
    else if (last?.kind === 'skipped') shown[shown.length - 1] = { ...last, count: last.count + 1 };
    else shown.push({ kind: 'skipped', at: line.at, count: 1 });
  }
  return shown;
}
