import { z } from 'zod';
import { frameText } from './frame-text.ts';

const display = z.object({
  grossMg: z.number(),
  netMg: z.number(),
  stable: z.boolean(),
  overload: z.boolean(),
  underload: z.boolean(),
  cellError: z.boolean(),
  zeroed: z.boolean(),
  unit: z.enum(['kg', 'g', 'lb']),
});
/** What the panel's interface says of the simulator. */
export const stateSchema = z.object({
  links: z.array(
    z.object({
      site: z.string(),
      link: z.string(),
      protocol: z.string(),
      port: z.number(),
      path: z.string().nullable(),
      kinds: z.array(z.string()),
    }),
  ),
  bins: z.array(
    z.object({
      bin: z.string(),
      site: z.string(),
      link: z.string(),
      unit: z.number().nullable(),
      quantity: z.number(),
      quantityUnit: z.string(),
      isOn: z.boolean(),
      display,
    }),
  ),
  faults: z.array(
    z.object({
      id: z.string(),
      unit: z.number().nullable(),
      rule: z.object({ kind: z.string() }),
      active: z.boolean(),
      injected: z.number(),
    }),
  ),
});
export const framesSchema = z.array(
  z.object({
    id: z.number(),
    at: z.number(),
    site: z.string(),
    link: z.string(),
    dir: z.enum(['rx', 'tx']),
    hex: z.string(),
    fault: z.string().nullable(),
    meaning: z.array(z.object({ label: z.string(), value: z.string() })),
  }),
);
/** The international pound, exactly 453.59237 g. */
const POUND_MG = 453_592.37;

type State = z.output<typeof stateSchema>;

/** A line for each link: what it speaks, where it is, and the faults that it can have. */
export function linkLines({ links }: State): string[] {
  return links.map(({ site, link, protocol, port, path, kinds }) =>
    [
      `${site}/${link}`,
      protocol,
      `127.0.0.1:${port}`,
      ...(path === null ? [] : [path]),
      kinds.join(' '),
    ].join('  '),
  );
}

/** A line for each bin and each fault. */
export function listing({ bins, faults }: Pick<State, 'bins' | 'faults'>): string[] {
  const rows = bins.map((view) => [
    view.bin,
    `${view.site}/${view.link}${view.unit === null ? '' : ` unit ${view.unit}`}`,
    `${view.quantity} ${view.quantityUnit}`,
    `gross ${massOf(view, view.display.grossMg)}`,
    `net ${massOf(view, view.display.netMg)}`,
    stateOf(view),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [
    ...rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')),
    ...faults.map(({ id, unit, rule, active, injected }) =>
      [
        `fault ${id}`,
        rule.kind,
        ...(unit === null ? [] : [`unit ${unit}`]),
        `injected ${injected}`,
        active ? 'active' : 'over',
      ].join('  '),
    ),
  ];
}

type Bin = State['bins'][number];

/** In grams, or in pounds where the display was switched to them. */
function massOf({ isOn, display: shown }: Bin, massMg: number): string {
  if (!isOn || shown.cellError) return '-';
  return shown.unit === 'lb' ? `${(massMg / POUND_MG).toFixed(3)} lb` : `${massMg / 1000} g`;
}

function stateOf({ isOn, display: shown }: Bin): string {
  if (!isOn) return 'no power';
  if (shown.cellError) return 'cell error';
  if (shown.overload) return 'overload';
  if (shown.underload) return 'underload';
  if (!shown.zeroed) return 'not zeroed';
  return shown.stable ? 'stable' : 'in motion';
}

export function frameLine(frame: z.output<typeof framesSchema>[number]): string {
  const { at, site, link } = frame;
  return [new Date(at).toISOString(), `${site}/${link}`, frameText(frame)].join('  ');
}
