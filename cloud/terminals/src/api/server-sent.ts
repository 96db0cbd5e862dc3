/** One message of a `text/event-stream`. */
export interface ServerSent {
  readonly event: string;
  readonly data: string;
  /** What to give as Last-Event-ID to read on after it. */
  readonly id: string | null;
}

/**
 * Reads a stream of server-sent events piece by piece: the browser's EventSource cannot send an
 * `Authorization` header.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function serverSentReader(): (text: string) => ServerSent[] {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id: string | null = null;

  function takeField(line: string, done: ServerSent[]): void {
    if (line === '') {
      if (data.length > 0) {
        done.push({ event: event === '' ? 'message' : event, data: data.join('\n'), id });
      }
      event = '';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
  }

  return (text) => {
    const done: ServerSent[] = [];
    const whole = rest + text;
    // A carriage return at the very end may be the first half of CR LF: wait for the next piece.
    const held = whole.endsWith('\r') ? '\r' : '';
    const lines = whole.slice(0, whole.length - held.length).split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? '') + held;
    for (const line of lines) takeField(line, done);
    return done;
  };
}
