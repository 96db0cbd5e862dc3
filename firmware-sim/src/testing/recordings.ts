import type { WirePiece, WireRecording } from '#shared/wire-recording.ts';

/** Any time will do. */
export const RECORDED_AT = 1_760_000_000_000;

/**
 * A recording in short: `tx`, `rx` with hexadecimal digits, `open`, or `close` with who did it.
 * @param lines ms after the first, what, and its bytes
 */
export function recordingOf(
  protocol: string,
  lines: readonly (readonly [ms: number, what: 'tx' | 'rx' | 'open' | 'close', hex?: string])[],
): WireRecording {
  const link = 'hall-2';
  const pieces = lines.map(([ms, what, hex = '']): WirePiece => {
    const at = RECORDED_AT + ms;
    if (what === 'open') return { at, link, dir: 'tx', hex: '', event: 'open' };
    if (what !== 'close') return { at, link, dir: what, hex };
    return { at, link, dir: hex === 'tx' ? 'tx' : 'rx', hex: '', event: 'close' };
  });
  return {
    header: { protocol, link, fault: 'comm-error', at: RECORDED_AT, why: 'no answer' },
    pieces,
  };
}
