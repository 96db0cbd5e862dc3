import { expect, test } from 'vitest';
import { faultOf, lineOf, readText, textOf } from './sections-text.ts';

const TEXT = `# tried on Monday
report: { heartbeatS: 60 }
links:
  - name: hall
    address: 10.0.0.7:502
    scales:
      - bin: a1
`;

test('a text is read as it would be in the file, and JSON as well', () => {
  expect(readText(TEXT)).toMatchObject({
    ok: true,
    config: { report: { heartbeatS: 60 }, links: [{ name: 'hall', scales: [{ bin: 'a1' }] }] },
  });
  expect(readText('{"log":"debug"}')).toEqual({ ok: true, config: { log: 'debug' } });
  expect(readText('  \n# nothing\n')).toEqual({ ok: true, config: {} });
});

test('what is written is read again the same, in its order; nothing is written of nothing', () => {
  const config = { report: { minSamples: 5, heartbeatS: 60 }, links: [{ name: 'x'.repeat(200) }] };
  const read = readText(textOf(config));
  expect(JSON.stringify(read.ok && read.config)).toBe(JSON.stringify(config));
  expect(textOf({})).toBe('');
});

test('what is no YAML, or has no sections, is told with its line', () => {
  expect(readText('report:\n  a: 1\n b: 2\n')).toMatchObject({ ok: false, faults: [{ line: 3 }] });
  for (const text of ['just words', '- a\n- b', '7']) {
    expect(readText(text)).toMatchObject({ ok: false, faults: [{ line: 1 }] });
  }
});

test('a key is found on its line, one that is missing on the line of what should have it', () => {
  expect(lineOf(TEXT, 'links.0.scales.0.bin')).toBe(7);
  expect(lineOf(TEXT, 'links.0.protocol')).toBe(4);
  expect(lineOf(TEXT, 'uplink')).toBeNull();
  expect(faultOf(TEXT, { pointer: '/config/links/0/address', detail: 'expected x' })).toEqual({
    line: 5,
    key: 'links.0.address',
    detail: 'expected x',
  });
  expect(faultOf(TEXT, { pointer: '/config/a~1b', detail: 'x' })).toMatchObject({ key: 'a/b' });
});
