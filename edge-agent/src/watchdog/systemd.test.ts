import { expect, test, vi } from 'vitest';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { notifySocket } from '../testing/notify-socket.ts';
import { systemdNotify } from './systemd.ts';

const installed = requireProgram('systemd-notify') && requireProgram('python3');
const log = createLog('test', 'silent');

test.skipIf(!installed)('a listener at NOTIFY_SOCKET hears every state in its order', async () => {
  const { path, states } = await notifySocket();
  const notify = systemdNotify(path, log);
  notify('READY=1', 'STATUS=reads 3 scales');
  notify('WATCHDOG=1');
  notify('STOPPING=1');
  await vi.waitFor(() => expect(states).toContain('STOPPING=1'), WAIT);
  expect(states).toEqual(['READY=1', 'STATUS=reads 3 scales', 'WATCHDOG=1', 'STOPPING=1']);
});

test('where nobody listens, nothing is started', () => {
  expect(() => systemdNotify(undefined, log)('READY=1')).not.toThrow();
});
