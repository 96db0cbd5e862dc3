/**
 * A key handed over in a link, `/company/#key=off_…`: a fragment is never sent to a server nor
 * written into its logs.
 * @returns the key, or null where the fragment is a place
 */
export function keyOfFragment(fragment: string): string | null {
  const match = /^#key=([^&]+)$/.exec(fragment);
  return match?.[1] ?? null;
}
