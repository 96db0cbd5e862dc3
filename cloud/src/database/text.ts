/** PostgreSQL's text has neither NUL nor half a surrogate pair. */
export const asText = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD');
