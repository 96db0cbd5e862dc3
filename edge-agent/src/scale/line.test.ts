import { once } from 'node:events';
import { expect, test } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';
import { serialScale } from '../testing/serial-scale.ts';
import { openLine } from './line.ts';

test.skipIf(!requireProgram('python3'))(
  'a serial port that was given up is free at once, however often it is opened',
  async () => {
    const scale = { baud: 9_600, eighthBit: 'data', request: '?', frame: 'yes\r\n' } as const;
    const address = await serialScale(scale);
    for (let time = 0; time < 3; time += 1) {
      const line = await openLine({ address, timeoutMs: 60_000 });
      const heard = once(line, 'data');
      line.write('?');
      expect(String(await heard)).toBe('yes\r\n');
      const closed = once(line, 'close');
      line.destroy();
      await closed;
    }
  },
);

test('a serial port that is not there is told once, by its path', async () => {
  const address = '/nowhere/ttyUSB0';
  const opening = openLine({ address, timeoutMs: 60_000 });
  await expect(opening).rejects.toThrow(
    /^cannot open \/nowhere\/ttyUSB0: No such file or directory$/,
  );
});
