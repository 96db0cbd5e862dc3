/** What a raw value counts: `mg` mass in milligrams, `count` pieces, `permille` fill level. */
export const READING_UNITS = ['mg', 'count', 'permille'] as const;
export type ReadingUnit = (typeof READING_UNITS)[number];

/** What stock and consumption are counted in: whole pieces, or milligrams of a bulk product. */
export const QUANTITY_UNITS = ['piece', 'mg'] as const;
export type QuantityUnit = (typeof QUANTITY_UNITS)[number];

export const MG_PER_G = 1_000;
export const MG_PER_KG = 1_000_000;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/**
 * Length of a rollup bucket. Every time zone's day and hour is a whole number of these, also those
 * of 30 and 45 minutes' offset.
 */
export const ROLLUP_MS = 15 * MINUTE_MS;
