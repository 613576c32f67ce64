import {
  type Assessment,
  type Command,
  type ConfinedCommand,
  type IsolationBackend,
  type IsolationEvent,
  policyParts,
} from '@confine-sandbox/contract'

/** A backend that passes on paper. Examples break one thing each. */
export const toyBackend: IsolationBackend = {
  name: 'toy',
  lockPath: '/lock',
  assess: (): Assessment => ({
    backend: 'toy',
    parts: Object.fromEntries(policyParts.map((part) => [part, { hold: 'exact', by: ['a wall'] }])) as unknown as Assessment['parts'],
    missing: [],
  }),
  confine: (command: Command): ConfinedCommand => ({
    file: '/bin/wrapper',
    args: ['--', command.file, ...command.args],
    env: { ...command.env },
    cwd: '/',
    descriptors: [
      { send: new Uint8Array([1]), read: () => (bytes: Uint8Array) => (bytes[0] === 7 ? [{ type: 'locked' }] : []) as IsolationEvent[] },
    ],
  }),
  explainStart: ({ stderr }) => (stderr === '' ? undefined : { stage: 'start', reason: stderr, remedy: 'Try again' }),
}
