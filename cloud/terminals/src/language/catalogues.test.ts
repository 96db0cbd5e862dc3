import { createIntl } from 'react-intl';
import { expect, test } from 'vitest';
import { en, type MessageId } from './en.ts';
import { zhCn } from './zh-cn.ts';

/** The names a message fills in, found in its text: `{count, plural, …}` and `{name}`. */
const placeholders = (message: string): string[] =>
  [...new Set([...message.matchAll(/\{(\w+)\s*[,}]/g)].map((match) => match[1] ?? ''))].sort();

test('both languages fill in the same names', () => {
  for (const [id, message] of Object.entries(en)) {
    const other = Object.entries(zhCn).find(([key]) => key === id)?.[1] ?? '';
    expect({ id, names: placeholders(other) }).toEqual({ id, names: placeholders(message) });
  }
});

test('every message can be filled in', () => {
  for (const [locale, messages] of Object.entries({ en, 'zh-CN': zhCn })) {
    const intl = createIntl({ locale, messages, onError: fail });
    for (const [id, message] of Object.entries(messages)) {
      const values = Object.fromEntries(placeholders(message).map((name) => [name, 2]));
      expect(intl.formatMessage({ id: id as MessageId }, values)).not.toBe('');
    }
  }
});

function fail(error: Error): never {
  throw error;
}
