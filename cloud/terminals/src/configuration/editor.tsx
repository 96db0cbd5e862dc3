import { Alert, Button, Group, Stack, Text, Textarea, Title } from '@mantine/core';
import { FormattedMessage, useIntl } from 'react-intl';
import classes from './configuration.module.css';
import { FaultList } from './fault-list.tsx';
import { readText, type TextFault } from './sections-text.ts';

/** What somebody is writing, and the newest version that it rests on. */
export interface Draft {
  readonly text: string;
  readonly base: number;
}

const EXAMPLE = `report:
  heartbeatS: 600
links:
  - name: hall-1
    protocol: modbus-tcp
    address: 192.168.1.20:502
    scales:
      - { bin: rack-a1, unit: 1, profile: dini-argeo-dgt, divisionMg: 1000, countMg: 1000 }
`;

/** The sections as text, and what is wrong with them. */
export function Editor({
  draft,
  isChanged,
  newest,
  refused,
  onChange,
  onReview,
  onLocal,
  onDiscard,
}: {
  readonly draft: Draft;
  /** Whether it is other than the newest version. */
  readonly isChanged: boolean;
  /** 0 for none. */
  readonly newest: number;
  /** Why the last attempt to send it failed; empty where there was none. */
  readonly refused: readonly TextFault[];
  readonly onChange: (draft: Draft) => void;
  readonly onReview: (config: Readonly<Record<string, unknown>>) => void;
  readonly onLocal: () => void;
  readonly onDiscard: () => void;
}) {
  const intl = useIntl();
  const read = readText(draft.text);
  const isOutdated = draft.base !== newest;
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        <FormattedMessage id="configuration.edit" />
      </Title>
      {isOutdated && (
        <Alert
          color="yellow"
          variant="light"
          title={<FormattedMessage id="configuration.outdated" values={{ version: newest }} />}
        >
          <Text size="sm">
            <FormattedMessage id="configuration.outdated.advice" />
          </Text>
          <Button
            mt="xs"
            size="xs"
            variant="default"
            onClick={() => onChange({ ...draft, base: newest })}
          >
            <FormattedMessage id="configuration.outdated.keep" />
          </Button>
        </Alert>
      )}
      <Textarea
        label={intl.formatMessage({ id: 'configuration.edit.text' })}
        classNames={{ input: classes['text'] ?? '' }}
        placeholder={EXAMPLE}
        autosize
        minRows={10}
        maxRows={30}
        spellCheck={false}
        error={!read.ok}
        value={draft.text}
        onChange={(event) => onChange({ ...draft, text: event.currentTarget.value })}
      />
      {!read.ok && <Faults title="configuration.fault.text" faults={read.faults} />}
      {refused.length > 0 && <Faults title="configuration.faults" faults={refused} />}
      <Group gap="sm">
        <Button
          disabled={!read.ok || isOutdated}
          onClick={() => {
            if (read.ok) onReview(read.config);
          }}
        >
          <FormattedMessage id="configuration.review" />
        </Button>
        {isChanged && (
          <Button variant="default" onClick={onDiscard}>
            <FormattedMessage id="configuration.discard" />
          </Button>
        )}
        <Button variant="subtle" disabled={isOutdated} onClick={onLocal}>
          <FormattedMessage id="configuration.to-local" />
        </Button>
      </Group>
    </Stack>
  );
}

function Faults({
  title,
  faults,
}: {
  readonly title: 'configuration.fault.text' | 'configuration.faults';
  readonly faults: readonly TextFault[];
}) {
  return (
    <Alert role="alert" color="red" variant="light" title={<FormattedMessage id={title} />}>
      <FaultList faults={faults} />
    </Alert>
  );
}
