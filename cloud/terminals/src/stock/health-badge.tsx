import { Badge, Tooltip } from '@mantine/core';
import { useIntl } from 'react-intl';
import type { Health, StockView } from '../../../src/http/contract.ts';

const COLOURS: Record<Health, string> = {
  ok: 'green',
  late: 'yellow.9',
  offline: 'orange.9',
  faulty: 'red',
  silent: 'gray',
};

/** How far a bin's figure can be trusted, in a word; why, on demand. */
export function HealthBadge({
  health,
  quality,
}: {
  readonly health: Health;
  readonly quality: StockView['quality'];
}) {
  const intl = useIntl();
  const reason = intl.formatMessage({ id: `health.${health}.reason` });
  const said =
    quality === null || quality === 'good'
      ? reason
      : `${reason} ${intl.formatMessage({ id: `quality.${quality}` })}`;
  return (
    <Tooltip label={said} multiline maw={280} events={{ hover: true, focus: true, touch: true }}>
      <Badge
        component="span"
        tabIndex={0}
        size="sm"
        variant={health === 'ok' ? 'light' : 'outline'}
        color={COLOURS[health]}
        aria-label={`${intl.formatMessage({ id: `health.${health}` })}. ${said}`}
        style={{ textTransform: 'none' }}
        autoContrast
      >
        {intl.formatMessage({ id: `health.${health}` })}
      </Badge>
    </Tooltip>
  );
}
