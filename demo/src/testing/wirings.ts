/** How scales are wired to a link: what the simulator serves, and what the agent is told of it. */
export interface Wiring {
  readonly name: string;
  /** Protocol and settings of the scenario's link. */
  readonly served: Readonly<Record<string, unknown>> & { readonly protocol: string };
  /** The same of the agent's link. */
  readonly asked: Readonly<Record<string, unknown>> & { readonly protocol: string };
  readonly scales: readonly WiredScale[];
}

/** One scale or sensor behind a link. */
export interface WiredScale {
  readonly served: Readonly<Record<string, unknown>>;
  /** Of the agent's `scales`, or of its `sensors` where it has a `kind`. */
  readonly asked: Readonly<Record<string, unknown>>;
}

/** What all scales of {@link WIRINGS} have in common, mg. */
export const CAPACITY_MG = 60_000_000;
export const TARE_MG = 2_000_000;
export const DIVISION_MG = 10_000;

const BAUD = 115_200;

function modbusScale(unit: number, profile: string, countMg: number, isSaid = false): WiredScale {
  const asked = { unit, profile, divisionMg: DIVISION_MG };
  return { served: { unit, profile, countMg }, asked: isSaid ? asked : { ...asked, countMg } };
}

const COUNT: WiredScale = {
  served: { unit: 3, sensor: { kind: 'count' }, product: 'clamp' },
  asked: { unit: 3, kind: 'count', table: 'input', address: 0, type: 'uint32' },
};

const LEVEL: WiredScale = {
  served: { unit: 3, sensor: { kind: 'level' } },
  asked: {
    unit: 3,
    kind: 'level',
    table: 'input',
    address: 0,
    divisionMg: DIVISION_MG,
    levels: [
      { at: 4_000, massMg: 0 },
      { at: 20_000, massMg: CAPACITY_MG - TARE_MG },
    ],
  },
};

const ALONE: WiredScale = { served: {}, asked: { divisionMg: DIVISION_MG } };

/** A line with one ASCII scale. */
function ascii(
  name: string,
  protocol: string,
  served: Readonly<Record<string, unknown>> = {},
  asked: Readonly<Record<string, unknown>> = {},
): Wiring {
  return {
    name,
    served: { protocol, baud: BAUD, ...served },
    asked: { protocol, ...asked },
    scales: [ALONE],
  };
}

const ON_REQUEST = { send: 'on-request' };
const POLLED = { mode: 'polled' };

/** Modbus over TCP and over serial lines, and every ASCII protocol in each of its ways. */
export const WIRINGS: readonly Wiring[] = [
  {
    name: 'tcp',
    served: { protocol: 'modbus-tcp' },
    asked: { protocol: 'modbus-tcp' },
    scales: [
      modbusScale(1, 'dini-argeo-dgt', 10_000),
      modbusScale(2, 'tuna-id551pn', 1_000_000),
      COUNT,
    ],
  },
  {
    name: 'rtu',
    served: { protocol: 'modbus-rtu', baud: BAUD },
    asked: { protocol: 'modbus-rtu-over-tcp' },
    scales: [
      modbusScale(1, 'laumas-tlb', 10_000, true),
      modbusScale(2, 'generic-int32', 10_000),
      LEVEL,
    ],
  },
  ascii('sics', 'mt-sics'),
  ascii('toledo', 'toledo'),
  ascii('toledo-plain', 'toledo', { checksum: false }),
  ascii('a-and-d', 'a-and-d', { format: 'gross-net' }),
  ascii('a-and-d-polled', 'a-and-d', ON_REQUEST, { ...POLLED, tare: 'locked' }),
  ascii('cas', 'cas'),
  ascii('cas-polled', 'cas', ON_REQUEST, POLLED),
  ascii('ohaus', 'ohaus'),
  ascii('ohaus-polled', 'ohaus', ON_REQUEST, POLLED),
  ascii('sbi', 'sbi', { idCode: true }),
  ascii('sbi-polled', 'sbi', ON_REQUEST, { ...POLLED, tare: 'locked' }),
];

const isAscii = ({ asked }: Wiring): boolean => !asked.protocol.startsWith('modbus');

/** Whether its scale is asked for single frames of an ASCII protocol that are all alike. */
export const isPolled = ({ asked }: Wiring): boolean => asked['mode'] === 'polled';

/** Whether its scale sends by itself. */
export const isStream = (wiring: Wiring): boolean =>
  isAscii(wiring) && !isPolled(wiring) && wiring.asked.protocol !== 'mt-sics';
