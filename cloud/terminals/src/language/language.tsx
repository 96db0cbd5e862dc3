import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import { IntlProvider } from 'react-intl';
import { en } from './en.ts';
import { zhCn } from './zh-cn.ts';

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

const STORE = 'offtake.language';
const CATALOGUES = { en, 'zh-CN': zhCn };

const isLanguage = (text: string | null): text is Language =>
  LANGUAGES.some((language) => language === text);

/** What was chosen before, or else the first of the person's languages that there is. */
function firstLanguage(): Language {
  const chosen = window.localStorage.getItem(STORE);
  if (isLanguage(chosen)) return chosen;
  for (const wanted of navigator.languages) {
    if (wanted.startsWith('zh')) return 'zh-CN';
    if (wanted.startsWith('en')) return 'en';
  }
  return 'en';
}

/** Numbers and dates as the person's own region writes them, within the language chosen. */
const localeOf = (language: Language): string =>
  navigator.languages.find((wanted) => wanted.startsWith(language)) ?? language;

interface LanguageChoice {
  readonly language: Language;
  readonly choose: (language: Language) => void;
}

const LanguageContext = createContext<LanguageChoice | null>(null);

export function useLanguage(): LanguageChoice {
  const choice = use(LanguageContext);
  if (choice === null) throw new Error('used outside of LanguageProvider');
  return choice;
}

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const choice = useMemo(
    () => ({
      language,
      choose: (chosen: Language) => {
        window.localStorage.setItem(STORE, chosen);
        setLanguage(chosen);
      },
    }),
    [language],
  );
  return (
    <LanguageContext value={choice}>
      <IntlProvider locale={localeOf(language)} messages={CATALOGUES[language]}>
        {children}
      </IntlProvider>
    </LanguageContext>
  );
}
