import { createContext, use } from 'react';
import type { Role } from '../../../src/http/contract.ts';

/** Whose terminal this is: the supplier's or one of its customers'. */
export type TerminalKind = 'company' | 'customer';

export const TerminalContext = createContext<TerminalKind>('company');

export const useTerminalKind = (): TerminalKind => use(TerminalContext);

/** The terminal for a role. */
export const homeOf = (role: Role): TerminalKind => (role === 'customer' ? 'customer' : 'company');
