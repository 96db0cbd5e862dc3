/** A frame as one line of text: direction, bytes, what befell it, what it says. */
export function frameText(frame: {
  readonly dir: 'rx' | 'tx';
  readonly hex: string;
  readonly fault: string | null;
  readonly meaning: readonly { readonly label: string; readonly value: string }[];
}): string {
  const { dir, hex, fault, meaning } = frame;
  return [
    dir === 'rx' ? 'request' : 'answer ',
    hex.replaceAll(/(..)(?=.)/g, '$1 '),
    ...(fault === null ? [] : [`[${fault}]`]),
    meaning.map(({ label, value }) => `${label} ${value}`).join(', '),
  ].join('  ');
}
