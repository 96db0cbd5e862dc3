import { TEXTS } from './texts.js';

let language =
  localStorage.getItem('language') ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');
if (!(language in TEXTS)) language = 'en';

export const chosenLanguage = () => language;

export function chooseLanguage(name) {
  language = name;
  localStorage.setItem('language', name);
}

export const text = (key) => TEXTS[language][key] ?? key;

const UNIT_MG = { kg: 1e6, g: 1e3, lb: 453_592.37 };

/** As an indicator shows it that is set to this unit; in lb it keeps the digits of kg. */
export function mass(mg, divisionMg, unit) {
  const digits = Math.max(0, Math.ceil(Math.log10((unit === 'g' ? 1e3 : 1e6) / divisionMg)));
  const number = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number.format(mg / UNIT_MG[unit])} ${unit}`;
}

/** How people say amounts: pieces, or kg of a bulk product. */
export const perAmount = ({ quantityUnit }) => (quantityUnit === 'mg' ? UNIT_MG.kg : 1);
export const amountUnit = ({ quantityUnit }) => (quantityUnit === 'mg' ? 'kg' : text('pieces'));

/** @param quantity pieces or mg */
export function amount(bin, quantity) {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 3 });
  return `${number.format(quantity / perAmount(bin))} ${amountUnit(bin)}`;
}

/** Says everything on the page that stands still. */
export function translatePage() {
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : 'en';
  for (const part of document.querySelectorAll('[data-text]')) {
    part.textContent = text(part.dataset.text);
  }
  for (const part of document.querySelectorAll('[data-label]')) {
    part.setAttribute('aria-label', text(part.dataset.label));
  }
  for (const part of document.querySelectorAll('[data-hint]')) {
    part.setAttribute('placeholder', text(part.dataset.hint));
  }
  // On a narrow page a table's cells say themselves what they are.
  for (const part of document.querySelectorAll('[data-head]')) {
    part.setAttribute('data-heading', text(part.dataset.head));
  }
}
