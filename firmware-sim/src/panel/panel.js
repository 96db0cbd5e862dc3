import { listenToFrames, readFrames, showFrames } from './frames.js';
import { byId, call, element, fillSelect, say, showStopped } from './page.js';
import {
  amount,
  amountUnit,
  chooseLanguage,
  chosenLanguage,
  mass,
  perAmount,
  text,
  translatePage,
} from './words.js';

const POLL_MS = 500;
const KEYS = ['tare', 'zero', 'clear-tare'];
const OPPOSITE = { put: 'take', take: 'put' };

const form = byId('fault-form');
let state = { scenario: '', links: [], bins: [], faults: [] };
let heardAt = new Date();

/** What a person asked for; what came of it is said in the header. */
async function doIt(method, path, body, said = () => [text('done')]) {
  try {
    await call(method, path, body ?? {});
    say(...said());
  } catch (error) {
    say(error.message, { isBad: true });
  }
  await refresh();
}

/** @param isUndo of a deed by mistake: it cannot be undone in turn */
function move(bin, kind, quantity, isUndo = false) {
  const path = `/api/bins/${encodeURIComponent(bin.bin)}/${kind}`;
  const undo = () => void move(bin, OPPOSITE[kind], quantity, true);
  return doIt('POST', path, { quantity }, () => {
    const what = `${text(isUndo ? 'undone' : `${kind}Done`)} ${amount(bin, quantity)}, ${bin.name}.`;
    return isUndo ? [what] : [what, { undo }];
  });
}

function stateOf({ isOn, display }) {
  if (!isOn) return ['bad', text('noPower')];
  if (display.cellError) return ['bad', text('cellError')];
  if (display.overload) return ['bad', text('overload')];
  if (display.underload) return ['bad', text('underload')];
  if (display.zeroed === false) return ['bad', text('notZeroed')];
  return display.stable ? ['good', text('stable')] : ['', text('unstable')];
}

const cell = (head, className = 'number') => element('td', { class: className, 'data-head': head });
const button = (name, onclick) => element('button', { type: 'button', 'data-text': name, onclick });

/** Rows are made once and filled anew, so that focus and typed amounts stay. */
function binRow(bin) {
  const isBulk = bin.quantityUnit === 'mg';
  const input = element('input', {
    type: 'number',
    min: isBulk ? '0.001' : '1',
    step: isBulk ? '0.001' : '1',
    value: isBulk ? '1' : '10',
    'data-label': 'amount',
  });
  const unit = element('span', { class: 'unit' });
  const hand = (kind) =>
    button(kind, () => {
      if (!input.reportValidity() || input.value === '') return;
      void move(bin, kind, Math.round(Number(input.value) * perAmount(bin)));
    });
  const path = `/api/bins/${encodeURIComponent(bin.bin)}`;
  const key = (name) => button(name, () => void doIt('POST', `${path}/${name}`));
  const where =
    bin.unit === null ? [] : [' · ', element('span', { 'data-text': 'frameUnit' }), ` ${bin.unit}`];
  return element(
    'tr',
    { 'data-bin': bin.bin },
    element('td', {}, bin.name, element('small', {}, `${bin.bin} · ${bin.product}`)),
    element('td', {}, bin.link, element('small', {}, bin.site, ...where)),
    cell('content'),
    cell('gross'),
    cell('net'),
    cell('state', ''),
    element('td', {}, element('div', { class: 'hands' }, input, unit, hand('put'), hand('take'))),
    element('td', {}, element('div', { class: 'hands' }, ...KEYS.map(key))),
  );
}

function isSought(bin) {
  const words = byId('seek').value.toLowerCase().split(/\s+/);
  const own = [bin.name, bin.bin, bin.product, bin.site, bin.link].join(' ').toLowerCase();
  return words.every((word) => own.includes(word));
}

function showBins() {
  const body = byId('bins');
  if (body.children.length !== state.bins.length) {
    body.replaceChildren(...state.bins.map(binRow));
    translate();
  }
  for (const [place, bin] of state.bins.entries()) {
    const row = body.children[place];
    row.hidden = !isSought(bin);
    const { display, divisionMg } = bin;
    const [, , content, gross, net, shown] = row.children;
    const isBlank = display.cellError || !bin.isOn;
    const shownMass = (mg) => (isBlank ? '–' : mass(mg, divisionMg, display.unit));
    content.textContent = amount(bin, bin.quantity);
    gross.textContent = shownMass(display.grossMg);
    net.textContent = shownMass(display.netMg);
    row.querySelector('.unit').textContent = amountUnit(bin);
    const [name, words] = stateOf(bin);
    shown.className = name;
    shown.textContent = words;
  }
}

function faultText({ site, link, unit, rule, active, injected }) {
  const where = unit === null ? '' : `, ${text('frameUnit')} ${unit}`;
  const parts = [text(rule.kind), `${site}/${link}${where}`];
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
      const clear = button('clear', () => void doIt('DELETE', path));
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

const nameOf = ({ site, link }) => `${site}/${link}`;

function showChoices() {
  const names = state.links.map((link) => [nameOf(link), nameOf(link)]);
  fillSelect(form.link, names);
  fillSelect(byId('frames-link'), [['', text('allLinks')], ...names]);
  const link = state.links.find((candidate) => nameOf(candidate) === form.link.value);
  fillSelect(form.unit, [
    ['', text('allUnits')],
    ...(link?.units ?? []).map((unit) => [String(unit), String(unit)]),
  ]);
  fillSelect(
    form.kind,
    (link?.kinds ?? []).map((kind) => [kind, text(kind)]),
  );
  for (const label of form.querySelectorAll('[data-only]')) {
    label.hidden = label.dataset.only !== form.kind.value;
  }
}

function translate() {
  translatePage();
  document.title = `${text('title')} · ${state.scenario}`;
}

function showAll() {
  showChoices();
  showBins();
  showFaults();
  translate();
  showFrames();
}

async function refresh() {
  try {
    const isFirst = state.links.length === 0;
    state = await call('GET', '/api/state');
    heardAt = new Date();
    showStopped(null);
    byId('scenario').textContent = state.scenario;
    if (isFirst) showAll();
    showBins();
    showFaults();
    await readFrames();
  } catch (error) {
    if (error instanceof TypeError) showStopped(heardAt);
    else say(error.message, { isBad: true });
  }
}

byId('language').value = chosenLanguage();
byId('language').addEventListener('change', ({ target }) => {
  chooseLanguage(target.value);
  say('');
  showAll();
});
byId('seek').addEventListener('input', showBins);
byId('clear-all').addEventListener('click', () => void doIt('DELETE', '/api/faults'));
listenToFrames(() => void refresh());
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
