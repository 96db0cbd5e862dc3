/** The four tables of Modbus; coils and discrete inputs hold bits, the others registers. */
export const MODBUS_TABLES = ['coil', 'discrete', 'holding', 'input'] as const;
export type ModbusTable = (typeof MODBUS_TABLES)[number];

/** What belongs together and is never split: a weight with its status, a value of two registers. */
export interface Wanted {
  readonly table: ModbusTable;
  /** Wire address. */
  readonly first: number;
  /** Registers or bits. */
  readonly count: number;
}

export interface PlannedRequest<Item extends Wanted> extends Wanted {
  readonly items: readonly Item[];
}

export interface PlanLimits {
  /** Most registers of one request; single items larger than this are asked for all the same. */
  readonly maxRegisters: number;
  /** Most unwanted registers between two items that are read along; 0 for none. */
  readonly maxGap: number;
}

/** Bits of one read request; the Modbus application protocol, 6.1 and 6.2. */
const MOST_BITS = 2_000;

const endOf = ({ first, count }: Wanted): number => first + count;
const holdsBits = (table: ModbusTable): boolean => table === 'coil' || table === 'discrete';

/**
 * The fewest requests, in the order of their addresses, that read all items of one unit: neighbours
 * of one table share a request where neither limit is crossed.
 */
export function planRequests<Item extends Wanted>(
  items: readonly Item[],
  { maxRegisters, maxGap }: PlanLimits,
): PlannedRequest<Item>[] {
  const requests: PlannedRequest<Item>[] = [];
  for (const table of MODBUS_TABLES) {
    const most = holdsBits(table) ? MOST_BITS : maxRegisters;
    const wanted = items
      .filter((item) => item.table === table)
      .toSorted((a, b) => a.first - b.first || a.count - b.count);
    let group: Item[] = [];
    for (const item of wanted) {
      const joined = requestOf([...group, item]);
      const gap = group.length === 0 ? 0 : item.first - endOf(requestOf(group));
      if (group.length > 0 && (gap > maxGap || joined.count > most)) {
        requests.push(requestOf(group));
        group = [item];
      } else group = [...joined.items];
    }
    if (group.length > 0) requests.push(requestOf(group));
  }
  return requests;
}

/**
 * What to ask for instead of a request that the device refused: two requests, cut at the widest gap
 * between items, or in the middle where there is none.
 * @returns `null` for a single item, which cannot be cut
 */
export function splitRequest<Item extends Wanted>(
  request: PlannedRequest<Item>,
): [PlannedRequest<Item>, PlannedRequest<Item>] | null {
  const { items } = request;
  if (items.length < 2) return null;
  const middle = items.length / 2;
  let best = { cut: 1, gap: -Infinity };
  for (let cut = 1; cut < items.length; cut += 1) {
    const before = Math.max(...items.slice(0, cut).map(endOf));
    const gap = (items[cut]?.first ?? before) - before;
    const closer = Math.abs(cut - middle) < Math.abs(best.cut - middle);
    if (gap > best.gap || (gap === best.gap && closer)) best = { cut, gap };
  }
  return [requestOf(items.slice(0, best.cut)), requestOf(items.slice(best.cut))];
}

function requestOf<Item extends Wanted>(items: readonly Item[]): PlannedRequest<Item> {
  const first = Math.min(...items.map((item) => item.first));
  const end = Math.max(...items.map(endOf));
  const table = items[0]?.table ?? 'holding';
  return { table, first, count: end - first, items };
}
