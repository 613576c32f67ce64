import type { ProfileInput } from '../../src/profile/profile.ts'

/** A guest as confine-sandbox starts it on a Mac with the node of nodejs.org. */
export const plain: ProfileInput = {
  node: '/usr/local/bin/node',
  cwd: '/private/var/empty',
  libraries: [],
  reads: ['/Users/ada/app/node_modules/@confine-sandbox/guest/dist/entry.cjs', '/Users/ada/app/node_modules/jseval-confine-runtime'],
  links: [],
  grants: { read: [], write: [] },
  hardened: false,
  onViolation: 'kill',
}

/** All there is: Homebrew's node, a link between packages, hardened, denials without a signal. */
export const full: ProfileInput = {
  node: '/opt/homebrew/Cellar/node/24.21.0/bin/node',
  cwd: '/private/var/empty',
  libraries: ['/opt/homebrew/Cellar', '/opt/homebrew/opt'],
  reads: ['/Users/ada/app/node_modules/.pnpm/isolated-vm@7.0.1/node_modules/isolated-vm'],
  links: ['/Users/ada/app/node_modules/jsisolate-confine-runtime'],
  grants: { read: ['/Users/ada/input', '/Users/ada/work/a/read only'], write: ['/Users/ada/work', '/Users/ada/output.txt'] },
  hardened: true,
  onViolation: 'deny',
}
