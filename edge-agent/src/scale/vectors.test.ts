import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { aAndDCodec } from './a-and-d.ts';
import { casCodec } from './cas.ts';
import type { Codec } from './frame.ts';
import { ohausCodec } from './ohaus.ts';
import { sbiCodec } from './sbi.ts';
import { toledoCodec } from './toledo.ts';

const link = z.discriminatedUnion('protocol', [
  z.object({ protocol: z.literal('toledo'), checksum: z.boolean() }),
  z.object({ protocol: z.literal('a-and-d'), format: z.enum(['plain', 'gross-net']) }),
  z.object({ protocol: z.literal('cas') }),
  z.object({ protocol: z.literal('ohaus') }),
  z.object({ protocol: z.literal('sbi'), idCode: z.boolean() }),
]);
const shows = z.object({
  grossMg: z.int(),
  tareMg: z.int(),
  stable: z.boolean(),
  overload: z.boolean(),
  underload: z.boolean(),
  cellError: z.boolean(),
  zeroed: z.boolean(),
});
const file = new URL('../../../shared/vectors/ascii.json', import.meta.url);
const { links } = z
  .object({
    links: z.array(
      z.object({
        link,
        cases: z.array(z.object({ what: z.string(), shows, latin1: z.string() })),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(file, 'utf8')));

/** A scale that does not say gross or net must not be tared, so here its tare key is not locked. */
function codecOf(of: z.infer<typeof link>): { codec: Codec; saysGross: boolean } {
  switch (of.protocol) {
    case 'toledo':
      return {
        codec: toledoCodec({ checksum: of.checksum ? 'required' : 'none' }),
        saysGross: true,
      };
    case 'a-and-d':
      return { codec: aAndDCodec({ tare: 'marked' }), saysGross: of.format === 'gross-net' };
    case 'cas':
      return { codec: casCodec({ device: 1 }), saysGross: true };
    case 'ohaus':
      return { codec: ohausCodec({ tare: 'marked' }), saysGross: true };
    case 'sbi':
      return { codec: sbiCodec({ tare: 'marked' }), saysGross: of.idCode };
    default:
      return of satisfies never;
  }
}

describe.each(links.map((entry) => ({ name: JSON.stringify(entry.link), ...entry })))(
  '$name',
  ({ link, cases }) => {
    test.each(cases)('$what', ({ shows, latin1 }) => {
      const { codec, saysGross } = codecOf(link);
      // A weight of SBI in motion has its unit from the one before.
      codec.push(Buffer.from(cases[0]?.latin1 ?? '', 'latin1'));
      const reads = codec.push(Buffer.from(latin1, 'latin1')).map(({ read }) => read);
      const showsGross = shows.tareMg === 0 || link.protocol === 'toledo';
      const isFaulty = shows.overload || shows.underload || shows.cellError || !shows.zeroed;
      if (shows.overload) expect(reads).toMatchObject([{ quality: 'overload' }]);
      else if (shows.underload) expect(reads).toMatchObject([{ quality: 'underload' }]);
      else if (isFaulty) expect(reads).toMatchObject([{ ok: false }]);
      else if (saysGross && showsGross) {
        expect(reads).toEqual([{ ok: true, massMg: shows.grossMg, stable: shows.stable }]);
      } else expect(reads).toMatchObject([{ quality: 'config-error' }]);
    });
  },
);
