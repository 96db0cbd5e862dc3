import { Anchor, Stack, Text, Title } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import { useConfiguration } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { Answer } from '../notices/answer.tsx';
import { formatPlace } from '../routing/place.ts';
import { usePlace } from '../routing/use-place.ts';
import { StatePanel } from './state-panel.tsx';
import { Workbench } from './workbench.tsx';

/** What is set of one agent's configuration from afar, and what became of it. */
export function ConfigurationPage() {
  const { path } = usePlace();
  const agent = path[1] ?? '';
  const configuration = useConfiguration(agent);
  return (
    <Stack gap="md">
      <div>
        <Text size="sm">
          <Anchor href={formatPlace(['agents'])}>
            <FormattedMessage id="configuration.back" />
          </Anchor>
        </Text>
        <Title order={1} size="h2">
          <FormattedMessage id="configuration.title" values={{ agent }} />
        </Title>
        <Text c="dimmed" size="sm">
          <FormattedMessage id="configuration.about" />{' '}
          <AsOf updatedAt={configuration.dataUpdatedAt} />
        </Text>
      </div>
      <Answer of={configuration}>
        {(known) => (
          <>
            <StatePanel configuration={known} />
            <Workbench configuration={known} />
          </>
        )}
      </Answer>
    </Stack>
  );
}
