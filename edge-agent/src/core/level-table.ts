/** A point of a level sensor's table: what the register holds, and the mass that then is in the bin. */
export interface LevelPoint {
  readonly at: number;
  readonly massMg: number;
}

/**
 * Mass by a table, linear between its points.
 * @param points at least two, `at` strictly increasing; masses may fall, as with a sensor that measures
 * the distance from above
 * @returns integer mg, or on which side of the table the value lies
 */
export function massAt(points: readonly LevelPoint[], value: number): number | 'below' | 'above' {
  const [first] = points;
  if (first === undefined || value < first.at) return 'below';
  let lower = first;
  for (const upper of points) {
    if (value <= upper.at) {
      const share = upper.at === lower.at ? 0 : (value - lower.at) / (upper.at - lower.at);
      return Math.round(lower.massMg + share * (upper.massMg - lower.massMg));
    }
    lower = upper;
  }
  return 'above';
}
