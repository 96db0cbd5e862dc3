import { byId, call, element } from './page.js';
import { text } from './words.js';

const KEPT_FRAMES = 200;
/** Words of a frame that mean something else elsewhere on the page. */
const OWN_WORDS = { unit: 'frameUnit', count: 'frameCount' };

let frames = [];
let newest = 0;
let isPaused = false;

function meaning(term) {
  const label = OWN_WORDS[term.label] ?? term.label;
  const found = /^(\d+) (.+)$/.exec(term.value);
  const value = found ? `${found[1]} ${text(found[2])}` : text(term.value);
  return [
    element('b', term.label === 'broken' ? { class: 'bad' } : {}, `${text(label)} `),
    `${term.label === 'text' ? term.value : value}  `,
  ];
}

function row(frame) {
  const at = new Date(frame.at);
  const time = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  const hex = frame.hex.replaceAll(/(..)(?=.)/g, '$1 ');
  const fault =
    frame.fault === null ? [] : [element('span', { class: 'bad' }, `${text(frame.fault)} · `)];
  return element(
    'tr',
    frame.fault === null ? {} : { class: 'struck' },
    element('td', {}, time),
    element('td', {}, `${frame.site}/${frame.link}`),
    element('td', { class: frame.dir }, text(frame.dir)),
    element('td', { class: 'bytes' }, hex),
    element('td', { class: 'meaning' }, ...fault, ...frame.meaning.flatMap(meaning)),
  );
}

const isWanted = ({ fault, meaning: terms }) =>
  !byId('frames-faults').checked ||
  fault !== null ||
  terms.some(({ label }) => label === 'broken' || label === 'exception');

/** Anew, as after another language was chosen. */
export function showFrames() {
  byId('frames').replaceChildren(...frames.filter(isWanted).toReversed().map(row));
  byId('pause').textContent = text(isPaused ? 'goOn' : 'pause');
}

/** Rows that stand stay as they are, so that they can be selected and copied. */
export async function readFrames() {
  if (isPaused) return;
  const link = byId('frames-link').value;
  const query = new URLSearchParams({ after: String(newest), limit: String(KEPT_FRAMES) });
  if (link !== '') query.set('link', link);
  const fresh = await call('GET', `/api/frames?${query}`);
  if (fresh.length === 0 || link !== byId('frames-link').value) return;
  newest = fresh.at(-1).id;
  frames = [...frames, ...fresh].slice(-KEPT_FRAMES);
  const body = byId('frames');
  body.prepend(...fresh.filter(isWanted).toReversed().map(row));
  const shown = frames.filter(isWanted).length;
  while (body.children.length > shown) body.lastElementChild.remove();
}

function beginAgain() {
  frames = [];
  newest = 0;
  showFrames();
}

/** @param changed called when other frames are to be shown */
export function listenToFrames(changed) {
  byId('pause').addEventListener('click', ({ target }) => {
    isPaused = !isPaused;
    target.setAttribute('aria-pressed', String(isPaused));
    showFrames();
  });
  byId('frames-link').addEventListener('change', () => {
    beginAgain();
    changed();
  });
  byId('frames-faults').addEventListener('change', showFrames);
}
