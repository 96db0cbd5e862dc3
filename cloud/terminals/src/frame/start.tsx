import { MantineProvider } from '@mantine/core';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '@mantine/core/styles.css';
import './frame.css';
import { LanguageProvider } from '../language/language.tsx';
import { Session } from '../session/session.tsx';
import { takeKeyFromAddress } from '../session/stored-key.ts';
import { Frame, type Page } from './frame.tsx';
import { TerminalContext, type TerminalKind } from './terminal-kind.ts';
import { cssVariables, theme } from './theme.ts';

/** Starts a terminal in its page. */
export function startTerminal(kind: TerminalKind, pages: readonly Page[]): void {
  takeKeyFromAddress();
  const place = document.getElementById('terminal');
  if (place === null) throw new Error('the page has no element with the id terminal');
  createRoot(place).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <LanguageProvider>
          <TerminalContext value={kind}>
            <Session>
              <Frame pages={pages} />
            </Session>
          </TerminalContext>
        </LanguageProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
