import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planRequests, splitRequest, type PlannedRequest, type Wanted } from './request-plan.ts';

const LIMITS = { maxRegisters: 125, maxGap: 0 };
const holding = (first: number, count: number): Wanted => ({ table: 'holding', first, count });

const spans = (requests: readonly PlannedRequest<Wanted>[]): string[] =>
  requests.map(({ table, first, count }) => `${table} ${first}+${count}`);

describe('requests', () => {
  test('neighbours share one request, whatever their order', () => {
    const items = [holding(4, 2), holding(0, 2), holding(2, 2)];
    expect(spans(planRequests(items, LIMITS))).toEqual(['holding 0+6']);
  });

  test('a gap is read along only where it may be', () => {
    const items = [holding(0, 2), holding(5, 2)];
    expect(spans(planRequests(items, LIMITS))).toEqual(['holding 0+2', 'holding 5+2']);
    expect(spans(planRequests(items, { ...LIMITS, maxGap: 3 }))).toEqual(['holding 0+7']);
  });

  test('tables never share a request, and bits are counted as bits', () => {
    const items: Wanted[] = [
      holding(0, 2),
      { table: 'input', first: 2, count: 2 },
      ...Array.from({ length: 200 }, (_, first) => ({ table: 'coil' as const, first, count: 1 })),
    ];
    expect(spans(planRequests(items, { maxRegisters: 32, maxGap: 0 }))).toEqual([
      'coil 0+200',
      'holding 0+2',
      'input 2+2',
    ]);
  });

  test('a value is never split between two requests', () => {
    const items = [holding(0, 30), holding(30, 4)];
    expect(spans(planRequests(items, { maxRegisters: 32, maxGap: 0 }))).toEqual([
      'holding 0+30',
      'holding 30+4',
    ]);
  });
});

const wanted = fc.record({
  table: fc.constantFrom('holding' as const, 'input' as const, 'coil' as const),
  first: fc.nat(300),
  count: fc.integer({ min: 1, max: 12 }),
});
const items = fc.array(wanted, { maxLength: 40 });
const limits = fc.record({ maxRegisters: fc.integer({ min: 12, max: 125 }), maxGap: fc.nat(10) });

const covers = ({ table, first, count, items: inside }: PlannedRequest<Wanted>): boolean =>
  inside.every(
    (item) =>
      item.table === table && item.first >= first && item.first + item.count <= first + count,
  );

/** Registers of a request that no item wants, the longest run of them. */
function widestGap({ first, items: inside }: PlannedRequest<Wanted>): number {
  let end = first;
  let widest = 0;
  for (const item of inside.toSorted((a, b) => a.first - b.first)) {
    widest = Math.max(widest, item.first - end);
    end = Math.max(end, item.first + item.count);
  }
  return widest;
}

test('every item lies whole in exactly one request, and no request crosses a limit', () => {
  fc.assert(
    fc.property(items, limits, (list, limit) => {
      const plan = planRequests(list, limit);
      expect(plan.flatMap((request) => request.items)).toHaveLength(list.length);
      for (const item of list) {
        expect(plan.filter((request) => request.items.includes(item))).toHaveLength(1);
      }
      for (const request of plan) {
        expect(covers(request)).toBe(true);
        expect(widestGap(request)).toBeLessThanOrEqual(limit.maxGap);
        if (request.table !== 'coil') expect(request.count).toBeLessThanOrEqual(limit.maxRegisters);
      }
    }),
  );
});

test('requests of one table that could be one are one', () => {
  fc.assert(
    fc.property(items, limits, (list, limit) => {
      const plan = planRequests(list, limit);
      for (const [place, request] of plan.entries()) {
        const next = plan[place + 1];
        if (next === undefined || next.table !== request.table || next.table === 'coil') continue;
        const gap = next.first - (request.first + request.count);
        const first = next.items[0];
        const count = Math.max(
          request.count,
          (first?.first ?? 0) + (first?.count ?? 0) - request.first,
        );
        expect(gap > limit.maxGap || count > limit.maxRegisters).toBe(true);
      }
    }),
  );
});

test('refused requests split down to their single items and lose none', () => {
  fc.assert(
    fc.property(items, limits, (list, limit) => {
      const singles: Wanted[] = [];
      const open = planRequests(list, limit);
      for (let request = open.pop(); request !== undefined; request = open.pop()) {
        const halves = splitRequest(request);
        if (halves === null) singles.push(...request.items);
        else {
          expect(halves[0].items.length + halves[1].items.length).toBe(request.items.length);
          expect(halves.every(covers)).toBe(true);
          open.push(...halves);
        }
      }
      expect(singles).toHaveLength(list.length);
    }),
  );
});

test('a refused request is cut where the gap is widest', () => {
  const [request] = planRequests([holding(0, 2), holding(2, 2), holding(9, 2)], {
    maxRegisters: 125,
    maxGap: 10,
  });
  const halves = request === undefined ? null : splitRequest(request);
  expect(spans(halves ?? [])).toEqual(['holding 0+4', 'holding 9+2']);
});
