import { Stack, Text, Title } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import { useAgents, useSites } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { Answer } from '../notices/answer.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { AgentCard } from './agent-card.tsx';
import classes from './agents.module.css';
import { troubleFirst } from './trouble.ts';

/** The agents that read the scales, those in trouble first. */
export function AgentsPage() {
  const agents = useAgents();
  const sites = useSites();
  const siteName = (id: string) => sites.data?.items.find((site) => site.id === id)?.name ?? id;
  return (
    <Stack gap="md">
      <div>
        <Title order={1} size="h2">
          <FormattedMessage id="page.agents" />
        </Title>
        <Text c="dimmed" size="sm">
          <FormattedMessage id="agents.about" /> <AsOf updatedAt={agents.dataUpdatedAt} />
        </Text>
      </div>
      <Answer of={agents}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyNotice
              title={<FormattedMessage id="agents.none" />}
              advice={<FormattedMessage id="agents.none.advice" />}
            />
          ) : (
            <ul className={classes['agents']}>
              {troubleFirst(items).map((agent) => (
                <AgentCard key={agent.id} agent={agent} site={siteName(agent.siteId)} />
              ))}
            </ul>
          )
        }
      </Answer>
    </Stack>
  );
}
