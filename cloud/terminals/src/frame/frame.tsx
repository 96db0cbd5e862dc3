import { AppShell, Burger, Button, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Suspense, useEffect, useRef, type ComponentType } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import type { MessageId } from '../language/en.ts';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { LoadingRows } from '../notices/loading-rows.tsx';
import { formatPlace } from '../routing/place.ts';
import { usePlace } from '../routing/use-place.ts';
import { useMe } from '../session/session.tsx';
import { storeKey } from '../session/stored-key.ts';
import classes from './frame.module.css';
import { LiveIndicator } from './live-indicator.tsx';
import { Mark } from './mark.tsx';
import { Preferences } from './preferences.tsx';
import { useTerminalKind } from './terminal-kind.ts';

export interface Page {
  /** First part of the place: `''` is the start. */
  readonly path: string;
  readonly title: MessageId;
  readonly page: ComponentType;
  /** Reached from another page, so that the navigation does not list it. */
  readonly inner?: boolean;
}

/** What stands around every page: who one is, where one can go, whether it is live. */
export function Frame({ pages }: { readonly pages: readonly Page[] }) {
  const intl = useIntl();
  const { path } = usePlace();
  const [open, { toggle, close }] = useDisclosure(false);
  const page = pages.find((candidate) => candidate.path === (path[0] ?? ''));
  const title = intl.formatMessage({ id: page?.title ?? 'page.unknown' });
  const main = useRef<HTMLDivElement>(null);
  const here = path.join('/');
  const before = useRef(here);

  useEffect(() => {
    document.title = `${title} · Offtake`;
    close();
    // A new page is read from its beginning, also by who does not see it change.
    if (before.current !== here) {
      main.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    before.current = here;
  }, [title, here, close]);

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !open } }}
      padding="md"
    >
      <AppShell.Header>
        <button type="button" className={classes['skip']} onClick={() => main.current?.focus()}>
          <FormattedMessage id="navigation.skip" />
        </button>
        <Header open={open} onToggle={toggle} />
      </AppShell.Header>
      <AppShell.Navbar className={classes['navbar'] ?? ''}>
        <Navigation pages={pages} current={page} />
        <div className={classes['spring']} />
        <Group hiddenFrom="sm" gap="sm" justify="space-between">
          <Preferences />
          <SignOut />
        </Group>
      </AppShell.Navbar>
      <AppShell.Main ref={main} tabIndex={-1} id="main" style={{ outline: 'none' }}>
        <Suspense fallback={<LoadingRows />}>
          {page === undefined ? <UnknownPage /> : <page.page key={here} />}
        </Suspense>
      </AppShell.Main>
    </AppShell>
  );
}

function Header({ open, onToggle }: { readonly open: boolean; readonly onToggle: () => void }) {
  const intl = useIntl();
  const me = useMe();
  const kind = useTerminalKind();
  return (
    <div className={classes['header']}>
      <Burger
        opened={open}
        onClick={onToggle}
        hiddenFrom="sm"
        size="sm"
        aria-label={intl.formatMessage({ id: 'navigation.toggle' })}
        aria-expanded={open}
      />
      <div className={classes['brand']}>
        <Mark size={28} />
        <div style={{ minWidth: 0 }}>
          <Text fw={700} size="sm">
            Offtake
          </Text>
          <div className={classes['who']}>
            <FormattedMessage id={`terminal.${kind}`} /> · {me.name}
          </div>
        </div>
      </div>
      <div className={classes['spring']} />
      <LiveIndicator />
      <Group visibleFrom="sm" gap="xs" wrap="nowrap">
        <Preferences />
        <SignOut />
      </Group>
    </div>
  );
}

function SignOut() {
  return (
    <Button size="compact-sm" variant="subtle" onClick={() => storeKey(null)}>
      <FormattedMessage id="sign-out" />
    </Button>
  );
}

function Navigation({
  pages,
  current,
}: {
  readonly pages: readonly Page[];
  readonly current: Page | undefined;
}) {
  const intl = useIntl();
  return (
    <nav aria-label={intl.formatMessage({ id: 'navigation' })}>
      <ul className={classes['navigation']}>
        {pages
          .filter(({ inner }) => inner !== true)
          .map((page) => (
            <li key={page.path}>
              <a
                className={classes['link']}
                href={formatPlace(page.path === '' ? [] : [page.path])}
                aria-current={page === current ? 'page' : undefined}
              >
                <FormattedMessage id={page.title} />
              </a>
            </li>
          ))}
      </ul>
    </nav>
  );
}

function UnknownPage() {
  return (
    <EmptyNotice
      title={<FormattedMessage id="page.unknown" />}
      advice={<FormattedMessage id="page.unknown.advice" />}
    >
      <a href={formatPlace([])}>
        <FormattedMessage id="page.unknown.start" />
      </a>
    </EmptyNotice>
  );
}
