import { text } from './words.js';

export const byId = (id) => document.getElementById(id);

/** Every text goes into the page as text, never as markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick') made.addEventListener('click', value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export async function call(method, path, body) {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  if (method !== 'GET') init.headers = { 'content-type': 'application/json' };
  const response = await fetch(path, init);
  const answer = await response.json();
  if (!response.ok) throw new Error(text(answer.error));
  return answer;
}

/** What came of what a person asked for, and how to take it back. */
export function say(message, { isBad = false, undo } = {}) {
  const place = byId('message');
  place.replaceChildren(message);
  if (undo) {
    place.append(
      ' ',
      element('button', { type: 'button', id: 'undo', onclick: undo }, text('undo')),
    );
  }
  place.classList.toggle('bad', isBad);
}

export function fillSelect(select, entries) {
  const chosen = select.value;
  select.replaceChildren(...entries.map(([value, label]) => element('option', { value }, label)));
  if (entries.some(([value]) => value === chosen)) select.value = chosen;
}

/** Since when nobody answers, or `null`: what the page shows is then not what is. */
export function showStopped(since) {
  document.body.classList.toggle('stopped', since !== null);
  byId('stopped').hidden = since === null;
  if (since === null) return;
  byId('stopped-since').textContent = since.toTimeString().slice(0, 8);
}
