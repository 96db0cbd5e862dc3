import { Text } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import classes from './configuration.module.css';
import { differenceOf, type DifferenceLine } from './difference.ts';

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;

/** What makes one text into another. */
export function DifferenceView({
  before,
  after,
}: {
  readonly before: string;
  readonly after: string;
}) {
  const lines = differenceOf(before, after);
  if (before === after) {
    return (
      <Text size="sm" c="dimmed">
        <FormattedMessage id="configuration.review.none" />
      </Text>
    );
  }
  return (
    <div className={classes['difference']} data-difference>
      {lines.map((line) => (
        <Line key={`${line.kind} ${line.at}`} line={line} />
      ))}
    </div>
  );
}

function Line({ line }: { readonly line: DifferenceLine }) {
  if (line.kind === 'skipped') {
    return (
      <div data-kind="skipped">
        <FormattedMessage id="configuration.skipped" values={{ count: line.count }} />
      </div>
    );
  }
  return (
    <div data-kind={line.kind}>
      {SIGNS[line.kind]} {line.text}
    </div>
  );
}
