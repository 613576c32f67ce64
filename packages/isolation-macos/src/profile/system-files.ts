import { type Expression, quoted } from '../sbpl/expression.ts'
import { ancestors } from './ancestors.ts'
import { allow, type Rule } from './rule.ts'

/** Directories with the system's programs: code that dyld maps. */
const libraries = [
  '/System/Cryptexes/App',
  '/System/Cryptexes/OS',
  '/System/Library/Frameworks',
  '/System/Library/PrivateFrameworks',
  '/System/Library/SubFrameworks',
  '/System/Library/dyld',
  '/System/Volumes/Preboot/Cryptexes/App/System',
  '/System/Volumes/Preboot/Cryptexes/OS',
  '/usr/lib',
]

/** Directories with the system's data. */
const data = ['/private/var/db/timezone', '/usr/share/icu', '/usr/share/zoneinfo.default']

/** Single files of the system. */
const files = [
  '/System/Library/CoreServices/SystemVersion.plist',
  '/System/Library/CoreServices/SystemVersionCompat.plist',
  '/private/etc/localtime',
]

/** Node's OpenSSL looks for its configuration here. The directory is not there; saying so (ENOENT) is what Node needs. */
const openssl = '/System/Library/OpenSSL'

const devices = ['/dev/null', '/dev/random', '/dev/urandom']
const dtraceHelper = '/dev/dtracehelper'

/** Links on the way to the above: the kernel reads them to follow them. */
const links = ['/etc', '/var']

/** What every program needs of the system to start: the same for every guest. */
export const systemFiles: readonly Rule[] = [
  allow(
    'dyld opens the root directory itself, so its names can be listed; nothing below it is readable by this.',
    ['ai-jail-77', 'quadwork-1141', 'codex'],
    ['file-read-data', 'file-read-metadata', 'file-test-existence'],
    [['literal', quoted('/')]],
  ),
  allow(
    'Libraries and frameworks of the system, and the cache that dyld keeps of them (since macOS 13 in cryptexes).',
    ['chromium-common', 'codex', 'nix-5888'],
    ['file-read*', 'file-test-existence', 'file-map-executable'],
    libraries.map(subpath),
  ),
  allow(
    'Time zones, and the data of the ICU that is part of macOS.',
    ['chromium-common', 'webkit'],
    ['file-read*', 'file-test-existence'],
    data.map(subpath),
  ),
  allow(
    'The version of the system, and which time zone is set.',
    ['chromium-common', 'codex'],
    ['file-read*', 'file-test-existence'],
    files.map(literal),
  ),
  allow(
    'Node does not start when it may not look for openssl.cnf.',
    ['node-62230', 'codex-28894'],
    ['file-read*', 'file-test-existence'],
    [subpath(openssl)],
  ),
  allow('Random numbers, and nothing.', ['chromium-common'], ['file-read*', 'file-test-existence'], devices.map(literal)),
  allow(
    'libSystem opens this device for writing when a program starts. The one thing that may be written to.',
    ['webkit', 'chromium-common', 'h5i-387'],
    ['file-read*', 'file-write-data', 'file-ioctl'],
    [['require-all', literal(dtraceHelper), ['vnode-type', 'CHARACTER-DEVICE']]],
  ),
  allow(
    'The directories above all these and the links to them: that they are there, not what is in them.',
    ['chromium-common', 'codex'],
    ['file-read-metadata', 'file-test-existence'],
    [...new Set([...links, ...ancestors([...libraries, ...data, ...files, openssl, ...devices])])].sort().map(literal),
  ),
]

function subpath(path: string): Expression {
  return ['subpath', quoted(path)]
}

function literal(path: string): Expression {
  return ['literal', quoted(path)]
}
