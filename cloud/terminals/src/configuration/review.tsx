import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import type { Configuration } from '../../../src/http/contract.ts';
import { DifferenceView } from './difference-view.tsx';
import { textOf } from './sections-text.ts';

/** What is about to be sent. */
export interface Proposal {
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether it is what stands in the editor; otherwise that stays as it is. */
  readonly isText: boolean;
  /** The older version that it is; null where it is a new one. */
  readonly restored: number | null;
  /** The newest version that the person knew of. */
  readonly expectedVersion: number;
}

/** The difference to what is in force, before anything is sent. */
export function Review({
  configuration,
  proposal,
  isSending,
  onSend,
  onBack,
}: {
  readonly configuration: Configuration;
  readonly proposal: Proposal;
  readonly isSending: boolean;
  readonly onSend: (note: string) => void;
  readonly onBack: () => void;
}) {
  const intl = useIntl();
  const [note, setNote] = useState('');
  const { inForce } = configuration;
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        {proposal.restored === null ? (
          <FormattedMessage id="configuration.review.title" />
        ) : (
          <FormattedMessage
            id="configuration.restore.title"
            values={{ version: proposal.restored }}
          />
        )}
      </Title>
      {inForce === null && (
        <Text size="sm" c="dimmed">
          <FormattedMessage id="configuration.review.local" />
        </Text>
      )}
      <DifferenceView before={textOf(inForce?.config ?? {})} after={textOf(proposal.config)} />
      <TextInput
        label={intl.formatMessage({ id: 'configuration.note' })}
        description={intl.formatMessage({ id: 'configuration.note.description' })}
        maxLength={500}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Group gap="sm">
        <Button loading={isSending} onClick={() => onSend(note)}>
          <FormattedMessage id="configuration.send" />
        </Button>
        <Button variant="default" disabled={isSending} onClick={onBack}>
          <FormattedMessage id="configuration.edit.again" />
        </Button>
      </Group>
    </Stack>
  );
}
