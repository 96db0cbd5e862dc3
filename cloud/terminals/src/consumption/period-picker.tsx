import { Group, SegmentedControl } from '@mantine/core';
import { DatePickerInput, DatesProvider } from '@mantine/dates';
import '@mantine/dates/styles.css';
import 'dayjs/locale/zh-cn';
import { useState } from 'react';
import { useIntl } from 'react-intl';
import { useLanguage } from '../language/language.tsx';
import { changeQuery } from '../routing/use-place.ts';
import { PRESETS, type PeriodChoice } from '../time/period.ts';

const DAYJS_LOCALES = { en: 'en', 'zh-CN': 'zh-cn' };

/** Presets, or days of one's own choice. */
export function PeriodPicker({
  choice,
  today,
}: {
  readonly choice: PeriodChoice;
  /** `YYYY-MM-DD`: there is nothing to see beyond. */
  readonly today: string;
}) {
  const intl = useIntl();
  return (
    <Group gap="sm">
      <SegmentedControl
        aria-label={intl.formatMessage({ id: 'period' })}
        value={choice.preset}
        data={PRESETS.map((value) => ({
          value,
          label: intl.formatMessage({ id: `period.${value}` }),
        }))}
        onChange={(period) =>
          changeQuery({
            period,
            first: period === 'custom' ? (choice.first ?? today) : undefined,
            last: period === 'custom' ? (choice.last ?? today) : undefined,
          })
        }
      />
      {choice.preset === 'custom' && <DaysPicker choice={choice} today={today} />}
    </Group>
  );
}

/** A range counts when both of its ends are chosen. */
function DaysPicker({ choice, today }: { readonly choice: PeriodChoice; readonly today: string }) {
  const intl = useIntl();
  const { language } = useLanguage();
  const [days, setDays] = useState<[string | null, string | null]>([
    choice.first ?? null,
    choice.last ?? null,
  ]);
  return (
    <DatesProvider settings={{ locale: DAYJS_LOCALES[language], firstDayOfWeek: 1 }}>
      <DatePickerInput
        type="range"
        aria-label={intl.formatMessage({ id: 'period.days' })}
        allowSingleDateInRange
        maxDate={today}
        valueFormat="YYYY-MM-DD"
        value={days}
        onChange={(chosen) => {
          setDays(chosen);
          const [first, last] = chosen;
          if (first !== null && last !== null) changeQuery({ first, last });
        }}
      />
    </DatesProvider>
  );
}
