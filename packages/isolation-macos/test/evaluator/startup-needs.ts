import type { Attempt } from '../../src/evaluator/filter.ts'
import type { Source } from '../../src/profile/sources.ts'
import { plain } from '../profile/inputs.ts'

const read = 'file-read-data'
const metadata = 'file-read-metadata'
const map = 'file-map-executable'

/** What Node needs on a Mac to start and to load a guest, each with where that is told. None of it was recorded here. */
export const startupNeeds: readonly (readonly [string, Source, Attempt])[] = [
  ['sandbox-exec starts node', 'original', { operation: 'process-exec', path: plain.node }],
  ['the kernel reads node', 'chromium-common', { operation: read, path: plain.node }],
  ['dyld opens /', 'quadwork-1141', { operation: read, path: '/' }],
  ['dyld looks at /', 'ai-jail-77', { operation: metadata, path: '/' }],
  ['dyld looks for its cache', 'nix-5888', { operation: metadata, path: '/System/Library/dyld/dyld_shared_cache_arm64e' }],
  [
    'dyld reads its cache in the cryptex',
    'chromium-common',
    { operation: read, path: '/System/Volumes/Preboot/Cryptexes/OS/System/Library/dyld/dyld_shared_cache_arm64e' },
  ],
  ['dyld maps its cache', 'chromium-common', { operation: map, path: '/System/Cryptexes/OS/System/Library/dyld/dyld_shared_cache_arm64e' }],
  ['dyld reads libSystem', 'chromium-common', { operation: read, path: '/usr/lib/libSystem.B.dylib' }],
  ['dyld maps libc++', 'codex', { operation: map, path: '/usr/lib/libc++.1.dylib' }],
  [
    'dyld maps CoreFoundation',
    'codex',
    { operation: map, path: '/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation' },
  ],
  [
    'libSystem registers with dtrace',
    'h5i-387',
    { operation: 'file-write-data', path: '/dev/dtracehelper', vnodeType: 'CHARACTER-DEVICE' },
  ],
  ['libSystem asks for the lockdown mode', 'srt', { operation: 'sysctl-read', name: 'security.mac.lockdown_mode_state' }],
  ['libSystem asks for the boot arguments', 'chromium-common', { operation: 'sysctl-read', name: 'kern.bootargs' }],
  ['pointer authentication', 'srt', { operation: 'sysctl-read', name: 'machdep.ptrauth_enabled' }],
  ['V8 asks for the processor', 'srt', { operation: 'sysctl-read', name: 'hw.optional.arm.FEAT_LSE' }],
  ['V8 asks for the processor, older name', 'srt', { operation: 'sysctl-read', name: 'hw.optional.armv8_crc32' }],
  ['libuv asks for the processor', 'srt', { operation: 'sysctl-read', name: 'machdep.cpu.brand_string' }],
  ['libuv asks for the memory', 'srt', { operation: 'sysctl-read', name: 'hw.memsize' }],
  ['libuv asks for the page size', 'chromium-common', { operation: 'sysctl-read', name: 'hw.pagesize_compat' }],
  ['libuv counts processors', 'chromium-common', { operation: 'sysctl-read', name: 'hw.ncpu' }],
  ['os.release()', 'chromium-common', { operation: 'sysctl-read', name: 'kern.osrelease' }],
  ['V8 counts threads', 'chromium-renderer', { operation: 'sysctl-write', name: 'kern.tcsm_enable' }],
  ['V8 counts threads', 'chromium-renderer', { operation: 'sysctl-read', name: 'kern.tcsm_available' }],
  ['random numbers', 'chromium-common', { operation: read, path: '/dev/urandom' }],
  ['descriptors that are missing', 'chromium-common', { operation: read, path: '/dev/null' }],
  ['OpenSSL finds that it has no configuration', 'node-62230', { operation: read, path: '/System/Library/OpenSSL/openssl.cnf' }],
  ['OpenSSL looks at it', 'codex-28894', { operation: metadata, path: '/System/Library/OpenSSL/openssl.cnf' }],
  ['the time zone: the link', 'webkit', { operation: metadata, path: '/etc' }],
  ['the time zone: which', 'webkit', { operation: metadata, path: '/private/etc/localtime' }],
  ['the time zone: its data', 'chromium-common', { operation: read, path: '/private/var/db/timezone/zoneinfo/Europe/Berlin' }],
  ['the version of macOS', 'chromium-common', { operation: read, path: '/System/Library/CoreServices/SystemVersion.plist' }],
  ['the working directory', 'original', { operation: read, path: plain.cwd }],
  ['above the working directory', 'original', { operation: metadata, path: '/private/var' }],
  ['abort()', 'chromium-common', { operation: 'signal', target: 'self' }],
  ['process.memoryUsage()', 'codex', { operation: 'process-info-pidinfo', target: 'self' }],
  ['the guest itself', 'original', { operation: read, path: plain.reads[0]! }],
  ['the runtime', 'original', { operation: read, path: `${plain.reads[1]}/index.js` }],
  ['the runtime: package.json', 'original', { operation: metadata, path: `${plain.reads[1]}/package.json` }],
  ['realpath: lstat above the runtime', 'cco-38', { operation: metadata, path: '/Users/ada' }],
  ['realpath: lstat further above', 'cco-38', { operation: metadata, path: '/Users' }],
  ['existence above the runtime', 'zero-302', { operation: 'file-test-existence', path: '/Users/ada/app/node_modules' }],
]
