import { TEXTS } from './texts.js';

const POLL_MS = 500;
const KEPT_FRAMES = 200;
const KEYS = ['tare', 'zero', 'clear-tare'];

const byId = (id) => document.getElementById(id);
const form = byId('fault-form');
let language =
  localStorage.getItem('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');
if (!(language in TEXTS)) language = 'en';
let state = { scenario: '', links: [], bins: [], faults: [] };
let frames = [];
let newest = 0;
let isPaused = false;

const text = (key) => TEXTS[language][key] ?? key;

/** Every text goes into the page as text, never as markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick') made.addEventListener('click', value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

async function call(method, path, body) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  if (method !== 'GET') init.headers = { 'content-type': 'application/json' };
  const response = await fetch(path, init);
  const answer = await response.json();
  if (!response.ok) throw new Error(text(answer.error));
  return answer;
}

function say(message, isBad = false) {
  const place = byId('message');
  place.textContent = message;
  place.classList.toggle('bad', isBad);
}

/** What a person asked for; what came of it is said in the header. */
async function doIt(method, path, body) {
  try {
    await call(method, path, body ?? {});
    say(text('done'));
  } catch (error) {
    say(error.message, true);
  }
  await refresh();
}

function mass(mg, divisionMg) {
  const perUnit = divisionMg >= 1000 ? 1e6 : 1e3;
  const digits = Math.max(0, Math.ceil(Math.log10(perUnit / divisionMg)));
  const number = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number.format(mg / perUnit)} ${perUnit === 1e6 ? 'kg' : 'g'}`;
}

function amount({ quantity, quantityUnit, divisionMg }) {
  if (quantityUnit === 'mg') return mass(quantity, divisionMg);
  return `${new Intl.NumberFormat(language).format(quantity)} ${text('pieces')}`;
}

function stateOf(display) {
  if (display.cellError) return ['bad', text('cellError')];
  if (display.overload) return ['bad', text('overload')];
  if (display.underload) return ['bad', text('underload')];
  if (display.zeroed === false) return ['bad', text('notZeroed')];
  return display.stable ? ['good', text('stable')] : ['', text('unstable')];
}

/** Rows are made once and filled anew, so that focus and typed amounts stay. */
function binRow(bin) {
  const input = element('input', {
    type: 'number',
    min: '1',
    step: '1',
    value: bin.quantityUnit === 'mg' ? '1000000' : '10',
    'data-label': 'amount',
  });
  const path = `/api/bins/${encodeURIComponent(bin.bin)}`;
  const hand = (kind) =>
    element('button', {
      type: 'button',
      'data-text': kind,
      onclick: () => void doIt('POST', `${path}/${kind}`, { quantity: Number(input.value) }),
    });
  const key = (name) =>
    element('button', {
      type: 'button',
      'data-text': name,
      onclick: () => void doIt('POST', `${path}/${name}`),
    });
  const unit = bin.quantityUnit === 'mg' ? ['mg'] : [];
  return element(
    'tr',
    { 'data-bin': bin.bin },
    element('td', {}, bin.name, element('small', {}, `${bin.bin} · ${bin.product}`)),
    element(
      'td',
      {},
      bin.link,
      element('small', {}, bin.unit === null ? bin.site : `${bin.site} · ${bin.unit}`),
    ),
    element('td', { class: 'number' }),
    element('td', { class: 'number' }),
    element('td', { class: 'number' }),
    element('td', {}),
    element(
      'td',
      {},
      element('div', { class: 'hands' }, input, ...unit, hand('put'), hand('take')),
    ),
    element('td', {}, element('div', { class: 'hands' }, ...KEYS.map(key))),
  );
}

function showBins() {
  const body = byId('bins');
  if (body.children.length !== state.bins.length) {
    body.replaceChildren(...state.bins.map(binRow));
    translate();
  }
  for (const [place, bin] of state.bins.entries()) {
    const { display, divisionMg } = bin;
    const [, , content, gross, net, shown] = body.children[place].children;
    content.textContent = amount(bin);
    gross.textContent = display.cellError ? '–' : mass(display.grossMg, divisionMg);
    net.textContent = display.cellError ? '–' : mass(display.netMg, divisionMg);
    const [name, words] = stateOf(display);
    shown.className = name;
    shown.textContent = words;
  }
}

function faultText({ site, link, unit, rule, active, injected }) {
  const parts = [text(rule.kind), `${site}/${link}${unit === null ? '' : ` · ${unit}`}`];
  if (rule.count !== undefined) parts.push(`${text('count')} ${rule.count}`);
  if (rule.durationS !== undefined) parts.push(`${rule.durationS} s`);
  if (rule.probability < 1) parts.push(`${Math.round(rule.probability * 100)} %`);
  parts.push(`${text('injected')} ${injected}`, text(active ? 'active' : 'over'));
  return parts.join(' · ');
}

/** As bins: an entry stays as long as its fault does. */
function showFaults() {
  const list = byId('faults');
  const ids = state.faults.map(({ id }) => id).join('\n');
  if (list.dataset.ids !== ids || list.children.length === 0) {
    list.dataset.ids = ids;
    const items = state.faults.map(({ id }) => {
      const path = `/api/faults/${encodeURIComponent(id)}`;
      const clear = element('button', {
        type: 'button',
        'data-text': 'clear',
        onclick: () => void doIt('DELETE', path),
      });
      return element('li', {}, clear, element('span'));
    });
    list.replaceChildren(
      ...(items.length > 0 ? items : [element('li', { 'data-text': 'noFaults' })]),
    );
    translate();
  }
  for (const [place, fault] of state.faults.entries()) {
    const span = list.children[place].lastElementChild;
    span.textContent = faultText(fault);
    span.className = fault.active ? 'bad' : '';
  }
}

function meaning(term) {
  const found = /^(\d+) (.+)$/.exec(term.value);
  const value = found ? `${found[1]} ${text(found[2])}` : text(term.value);
  return [
    element('b', term.label === 'broken' ? { class: 'bad' } : {}, `${text(term.label)} `),
    `${term.label === 'text' ? term.value : value}  `,
  ];
}

function frameRow(frame) {
  const at = new Date(frame.at);
  const time = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  const hex = frame.hex.replaceAll(/(..)(?=.)/g, '$1 ');
  const fault =
    frame.fault === null ? [] : [element('span', { class: 'bad' }, `${text(frame.fault)} · `)];
  return element(
    'tr',
    {},
    element('td', {}, time),
    element('td', {}, `${frame.site}/${frame.link}`),
    element('td', {}, text(frame.dir)),
    element('td', { class: 'bytes' }, hex),
    element('td', {}, ...fault, ...frame.meaning.flatMap(meaning)),
  );
}

function showFrames() {
  byId('frames').replaceChildren(...frames.toReversed().map(frameRow));
}

function options(select, entries) {
  const chosen = select.value;
  select.replaceChildren(...entries.map(([value, label]) => element('option', { value }, label)));
  if (entries.some(([value]) => value === chosen)) select.value = chosen;
}

const nameOf = ({ site, link }) => `${site}/${link}`;

function showChoices() {
  const names = state.links.map((link) => [nameOf(link), nameOf(link)]);
  options(form.link, names);
  options(byId('frames-link'), [['', text('allLinks')], ...names]);
  const link = state.links.find((candidate) => nameOf(candidate) === form.link.value);
  options(form.unit, [
    ['', text('allUnits')],
    ...(link?.units ?? []).map((unit) => [String(unit), String(unit)]),
  ]);
  options(
    form.kind,
    (link?.kinds ?? []).map((kind) => [kind, text(kind)]),
  );
  for (const label of form.querySelectorAll('[data-only]')) {
    label.hidden = label.dataset.only !== form.kind.value;
  }
}

function translate() {
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : 'en';
  document.title = `${text('title')} · ${state.scenario}`;
  for (const part of document.querySelectorAll('[data-text]')) {
    part.textContent = text(part.dataset.text);
  }
  for (const part of document.querySelectorAll('[data-label]')) {
    part.setAttribute('aria-label', text(part.dataset.label));
  }
  byId('pause').textContent = text(isPaused ? 'goOn' : 'pause');
}

function showAll() {
  showChoices();
  showBins();
  showFaults();
  showFrames();
  translate();
}

async function refresh() {
  try {
    const isFirst = state.links.length === 0;
    state = await call('GET', '/api/state');
    byId('scenario').textContent = state.scenario;
    if (isFirst) showAll();
    showBins();
    showFaults();
    if (!isPaused) await readFrames();
    if (byId('message').textContent === text('gone')) say('');
  } catch (error) {
    say(error instanceof TypeError ? text('gone') : error.message, true);
  }
}

async function readFrames() {
  const link = byId('frames-link').value;
  const query = new URLSearchParams({ after: String(newest), limit: String(KEPT_FRAMES) });
  if (link !== '') query.set('link', link);
  const fresh = await call('GET', `/api/frames?${query}`);
  if (fresh.length === 0) return;
  newest = fresh.at(-1).id;
  frames = [...frames, ...fresh].slice(-KEPT_FRAMES);
  showFrames();
}

byId('language').value = language;
byId('language').addEventListener('change', ({ target }) => {
  language = target.value;
  localStorage.setItem('language', language);
  say('');
  showAll();
});
byId('pause').addEventListener('click', ({ target }) => {
  isPaused = !isPaused;
  target.setAttribute('aria-pressed', String(isPaused));
  target.textContent = text(isPaused ? 'goOn' : 'pause');
});
byId('frames-link').addEventListener('change', () => {
  frames = [];
  newest = 0;
  showFrames();
  void refresh();
});
byId('clear-all').addEventListener('click', () => void doIt('DELETE', '/api/faults'));
form.addEventListener('change', showChoices);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  const number = (name) => (form[name].value === '' ? undefined : Number(form[name].value));
  void doIt('POST', '/api/faults', {
    link: form.link.value,
    unit: number('unit') ?? null,
    kind: form.kind.value,
    count: number('count'),
    durationS: number('durationS'),
    probability: (number('probability') ?? 100) / 100,
    code: number('code'),
    connections: number('connections'),
  });
});

/** One after the other, so that a slow answer never overtakes a newer one. */
async function follow() {
  await refresh();
  setTimeout(() => void follow(), POLL_MS);
}
translate();
void follow();
