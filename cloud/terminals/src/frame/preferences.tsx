import { Group, NativeSelect, useMantineColorScheme } from '@mantine/core';
import { useIntl } from 'react-intl';
import { LANGUAGES, useLanguage } from '../language/language.tsx';

const NAMES = { en: 'English', 'zh-CN': '简体中文' };
const SCHEMES = ['auto', 'light', 'dark'] as const;

/** Language and colours. */
export function Preferences() {
  const intl = useIntl();
  const { language, choose } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Group gap="xs" wrap="nowrap">
      <NativeSelect
        size="xs"
        aria-label={intl.formatMessage({ id: 'preferences.language' })}
        value={language}
        data={LANGUAGES.map((value) => ({ value, label: NAMES[value] }))}
        onChange={(event) => {
          const chosen = LANGUAGES.find((value) => value === event.currentTarget.value);
          if (chosen !== undefined) choose(chosen);
        }}
      />
      <NativeSelect
        size="xs"
        aria-label={intl.formatMessage({ id: 'preferences.colours' })}
        value={colorScheme}
        data={SCHEMES.map((value) => ({
          value,
          label: intl.formatMessage({ id: `preferences.colours.${value}` }),
        }))}
        onChange={(event) => {
          const chosen = SCHEMES.find((value) => value === event.currentTarget.value);
          if (chosen !== undefined) setColorScheme(chosen);
        }}
      />
    </Group>
  );
}
