import { Badge } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import type { AgentView } from '../../../src/http/contract.ts';
import { ShortState } from '../configuration/short-state.tsx';
import { Age } from '../figures/age.tsx';
import { Fact } from '../figures/fact.tsx';
import { useFormats } from '../figures/use-formats.ts';
import { formatPlace } from '../routing/place.ts';
import classes from './agents.module.css';

export function AgentCard({ agent, site }: { readonly agent: AgentView; readonly site: string }) {
  const formats = useFormats();
  const faults = agent.devices.filter(({ ok }) => !ok);
  const state = agent.seenAt === null ? 'silent' : agent.online ? 'online' : 'offline';
  return (
    <li className={classes['agent']} data-agent={agent.id}>
      <div className={classes['head']}>
        <div>
          <h2 className={classes['name']}>{agent.id}</h2>
          <div className={classes['site']}>{site}</div>
        </div>
        <Badge
          color={COLOURS[state]}
          variant={state === 'online' ? 'light' : 'outline'}
          style={{ flexShrink: 0, textTransform: 'none' }}
        >
          <FormattedMessage id={`agents.${state}`} />
        </Badge>
      </div>
      <dl className={classes['facts']}>
        <Fact name="agents.seen">
          <Age at={agent.seenAt} stale={!agent.online} />
        </Fact>
        <Fact name="agents.last-batch">
          <Age at={agent.lastBatchAt} stale={!agent.online} />
        </Fact>
        <Fact name="agents.backlog">
          {agent.backlog === null ? '–' : formats.count(agent.backlog)}
        </Fact>
        <Fact name="agents.batches">{formats.count(agent.receivedBatches)}</Fact>
        <Fact name="agents.devices">
          {agent.devices.length === 0 ? (
            '–'
          ) : (
            <FormattedMessage
              id="agents.devices.note"
              values={{ all: agent.devices.length, faults: faults.length }}
            />
          )}
        </Fact>
        <Fact name="agents.version">{agent.version ?? '–'}</Fact>
        <Fact name="agents.configuration">
          <a href={formatPlace(['configuration', agent.id])}>
            <ShortState {...agent.configuration} />
          </a>
        </Fact>
      </dl>
      {agent.alarms.length > 0 && (
        <ul className={classes['faults']}>
          {agent.alarms.map((alarm) => (
            <li key={alarm}>{alarm}</li>
          ))}
        </ul>
      )}
      {faults.length > 0 && (
        <ul className={classes['faults']}>
          {faults.map((device) => (
            <li key={`${device.link} ${device.bin}`}>
              <a href={formatPlace(['bins', device.bin])}>{device.bin}</a> ({device.link}):{' '}
              {device.fault ?? <FormattedMessage id="agents.fault.unknown" />}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

const COLOURS = { online: 'green', offline: 'orange.9', silent: 'gray' };
