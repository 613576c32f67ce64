import { type Command, type ConfinedCommand, type IsolationBackend, policyParts } from '@confine-sandbox/contract'

/** What `noSandbox: true` runs with: the command as it is. Holds nothing, and says so. */
export const unconfined: IsolationBackend = {
  name: 'none',
  assess: () => ({
    backend: 'none',
    parts: Object.fromEntries(policyParts.map((part) => [part, { hold: 'none', by: [] }])) as unknown as ReturnType<
      IsolationBackend['assess']
    >['parts'],
    missing: [],
  }),
  confine: (command: Command): ConfinedCommand => ({ ...command, cwd: process.cwd(), descriptors: [] }),
}
