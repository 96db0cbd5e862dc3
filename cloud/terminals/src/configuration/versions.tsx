import { Button, Table, Title } from '@mantine/core';
import { useState } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import type { ConfigurationVersion } from '../../../src/http/contract.ts';
import { useConfigurationVersions } from '../api/resources.ts';
import { useFormats } from '../figures/use-formats.ts';
import { Answer } from '../notices/answer.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import classes from './configuration.module.css';

const PAGE = 10;

/** What was ever sent, newest first; any of it can be restored. */
export function Versions({
  agent,
  newest,
  onRestore,
}: {
  readonly agent: string;
  readonly newest: number;
  readonly onRestore: (version: ConfigurationVersion) => void;
}) {
  const [most, setMost] = useState(PAGE);
  const versions = useConfigurationVersions(agent, most);
  return (
    <section className={classes['panel']}>
      <Title order={2} size="h4">
        <FormattedMessage id="configuration.versions" />
      </Title>
      <Answer of={versions}>
        {({ items, complete }) =>
          items.length === 0 ? (
            <EmptyNotice
              title={<FormattedMessage id="configuration.versions.none" />}
              advice={<FormattedMessage id="configuration.versions.none.advice" />}
            />
          ) : (
            <>
              <VersionTable items={items} newest={newest} onRestore={onRestore} />
              {!complete && (
                <Button variant="default" size="xs" onClick={() => setMost(most + PAGE)}>
                  <FormattedMessage id="configuration.versions.more" />
                </Button>
              )}
            </>
          )
        }
      </Answer>
    </section>
  );
}

function VersionTable({
  items,
  newest,
  onRestore,
}: {
  readonly items: readonly ConfigurationVersion[];
  readonly newest: number;
  readonly onRestore: (version: ConfigurationVersion) => void;
}) {
  const intl = useIntl();
  const formats = useFormats();
  return (
    <div className={classes['scroll']}>
      <Table aria-label={intl.formatMessage({ id: 'configuration.versions' })}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              <FormattedMessage id="configuration.versions.version" />
            </Table.Th>
            <Table.Th>
              <FormattedMessage id="movement.at" />
            </Table.Th>
            <Table.Th>
              <FormattedMessage id="configuration.versions.author" />
            </Table.Th>
            <Table.Th>
              <FormattedMessage id="configuration.note" />
            </Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={item.version} data-version={item.version}>
              <Table.Td>{formats.count(item.version)}</Table.Td>
              <Table.Td className={classes['moment'] ?? ''}>{formats.moment(item.at)}</Table.Td>
              <Table.Td>{item.author}</Table.Td>
              <Table.Td className={classes['note'] ?? ''}>{item.note}</Table.Td>
              <Table.Td>
                {item.version !== newest && (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    aria-label={intl.formatMessage(
                      { id: 'configuration.restore.title' },
                      { version: item.version },
                    )}
                    onClick={() => onRestore(item)}
                  >
                    <FormattedMessage id="configuration.restore" />
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
