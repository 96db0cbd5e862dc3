import { LineCounter, isNode, parseDocument, stringify } from 'yaml';

/** What is wrong with a text, and on which line; null where no line is at fault. */
export interface TextFault {
  readonly line: number | null;
  /** Dotted path, e.g. `links.0.address`; empty for the text as a whole. */
  readonly key: string;
  readonly detail: string;
}

/** Sections as people edit them; empty for none. */
export function textOf(config: Readonly<Record<string, unknown>>): string {
  if (Object.keys(config).length === 0) return '';
  // Long lines stay whole, so that a difference shows what was changed and not where it was broken.
  return stringify(config, { lineWidth: 0 });
}

/** YAML, of which JSON is a part; an empty text has no sections. */
export function readText(
  text: string,
): { readonly ok: true; readonly config: Record<string, unknown> } | ReadFault {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ pos, message }) => ({
      line: lines.linePos(pos[0]).line,
      key: '',
      detail: message.split(/ at line |\n/, 1)[0] ?? message,
    }));
    return { ok: false, faults };
  }
  const content: unknown = document.toJS() ?? {};
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return { ok: false, faults: [{ line: 1, key: '', detail: 'key: value' }] };
  }
  return { ok: true, config: content as Record<string, unknown> };
}

interface ReadFault {
  readonly ok: false;
  readonly faults: readonly TextFault[];
}

/** Where in the text a key stands, or the deepest part of it that does; null where none does. */
export function lineOf(text: string, key: string): number | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const path = key.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}

/** A fault as the API tells it, with a JSON pointer (RFC 6901) into what was sent. */
export function faultOf(
  text: string,
  { pointer, detail }: { readonly pointer: string; readonly detail: string },
): TextFault {
  const key = pointer
    .replace(/^\/config\/?/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
  return { line: lineOf(text, key), key, detail };
}
