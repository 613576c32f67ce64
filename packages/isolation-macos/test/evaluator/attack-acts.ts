import type { Attempt } from '../../src/evaluator/filter.ts'
import { plain } from '../profile/inputs.ts'

const secret = '/private/var/folders/ab/T/confine-target-1/secret'
const directory = '/private/var/folders/ab/T/confine-target-1'
const connect: Attempt = { operation: 'network-outbound' }
const responder: Attempt = { operation: 'network-outbound', path: '/private/var/run/mDNSResponder' }
const fork: Attempt = { operation: 'process-fork' }
const signal: Attempt = { operation: 'signal', target: 'others' }

/**
 * For each attack program of the conformance package: the acts that it cannot do without, as the kernel of a Mac would put them to
 * Seatbelt. Or why it is none on a Mac: what this backend does not promise, and docs/macos.md says so.
 */
export const attackActs: Readonly<Record<string, readonly Attempt[] | string>> = {
  'read-file': [{ operation: 'file-read-data', path: secret }],
  'read-file-async': [{ operation: 'file-read-data', path: secret }],
  'list-root': 'the names in / can be listed: dyld ends every program that may not',
  'list-working-directory': 'the working directory can be listed, and is empty',
  'list-home': 'the home of a guest is /, whose names can be listed',
  'stat-file': [{ operation: 'file-read-metadata', path: secret }],
  'write-file': [{ operation: 'file-write-create', path: `${directory}/planted`, vnodeType: 'REGULAR-FILE' }],
  'link-file': [{ operation: 'file-write-create', path: `${directory}/link`, vnodeType: 'SYMLINK' }],
  'read-own-environment': 'there is no /proc',
  'load-addon': [
    { operation: 'file-read-data', path: secret },
    { operation: 'file-map-executable', path: secret },
  ],
  'connect-loopback': [connect],
  'connect-unix-socket': [{ operation: 'network-outbound', path: `${directory}/host.sock` }],
  'connect-outside': [connect],
  fetch: [connect],
  'resolve-name': [
    responder,
    { operation: 'mach-lookup', name: 'com.apple.dnssd.service' },
    { operation: 'file-read-data', path: '/private/etc/hosts' },
  ],
  'query-name-server': [connect],
  'bind-port': [{ operation: 'network-bind' }],
  'bind-unix-socket': [{ operation: 'network-bind', path: `${directory}/own.sock` }],
  'bind-udp': [{ operation: 'network-bind' }],
  'change-user': 'a process may set the user that it is; to become another one takes root',
  'raise-priority': 'a process may lower its own priority',
  'change-directory': 'to stand somewhere gives nothing to read there',
  spawn: [fork, { operation: 'process-exec', path: '/bin/echo' }],
  'spawn-node': [fork],
  fork: [fork],
  'signal-process': [signal],
  'signal-parent': [signal],
  'open-inspector-of-process': [signal],
}

/** The other way of starting node: in its own place. It gains nothing by it, and keeps its profile and its limits. */
export const inItsPlace: Attempt = { operation: 'process-exec', path: plain.node }
