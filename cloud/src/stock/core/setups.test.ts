import fc from 'fast-check';
import { expect, it } from 'vitest';
import { productId } from '#shared/ids.ts';
import { changedSetup, setupAt, type Setup } from './setups.ts';

const screw = productId('screw');
const pellets = productId('pellets');
const setup = (since: number, tareMg = 10): Setup => ({
  since,
  productId: screw,
  tareMg,
  pieceMassMg: 5,
});
const asIs = { tareMg: undefined, pieceMassMg: undefined };
const product = { id: screw, pieceMassMg: 7 };

it('finds the setup in force, and the first for times before it', () => {
  const setups = [setup(100, 1), setup(200, 2)];
  expect([0, 100, 199, 200, 999].map((at) => setupAt(setups, at).tareMg)).toEqual([1, 1, 1, 2, 2]);
});

it("keeps the bin's own piece mass while the product stays, and takes the new product's", () => {
  const setups = [setup(0)];
  expect(changedSetup(setups, 50, product, { ...asIs, tareMg: 11 })).toEqual({
    ...setup(50),
    tareMg: 11,
  });
  const bulk = { id: pellets, pieceMassMg: null };
  expect(changedSetup(setups, 50, bulk, asIs)).toEqual({
    since: 50,
    productId: pellets,
    tareMg: 10,
    pieceMassMg: null,
  });
});

it('writes nothing where nothing changes, but extends a bin into the past', () => {
  const setups = [setup(100)];
  expect(changedSetup(setups, 150, product, { tareMg: 10, pieceMassMg: 5 })).toBeUndefined();
  expect(changedSetup(setups, 50, product, { tareMg: 10, pieceMassMg: 5 })).toEqual(setup(50));
});

it('changes what is in force from since until the next setup, and at no other time', () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(times, fc.nat(100), fc.nat(3), fc.nat(100), (sinces, since, tareMg, at) => {
      const setups = sinces.sort((a, b) => a - b).map((time, index) => setup(time, index % 3));
      const changed = changedSetup(setups, since, product, { ...asIs, tareMg });
      const after = [...setups.filter((one) => one.since !== changed?.since), changed ?? []]
        .flat()
        .sort((a, b) => a.since - b.since);
      const next = setups.find((one) => one.since > since)?.since ?? Infinity;
      const first = after[0]?.since ?? 0;
      if (at < first) return;
      const expected = at >= since && at < next ? tareMg : setupAt(setups, at).tareMg;
      expect(setupAt(after, at).tareMg).toBe(expected);
    }),
  );
});
