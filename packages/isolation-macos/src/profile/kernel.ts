import { quoted } from '../sbpl/expression.ts'
import { allow, type Rule } from './rule.ts'

/**
 * Facts about the machine that libSystem, libuv and V8 read by name. Not among them, though shipping profiles have them: the
 * host's name (kern.hostname), its load (vm.loadavg), other processes (kern.proc.*), its network (net.routetable.*).
 */
const readNames = [
  'hw.activecpu',
  'hw.byteorder',
  'hw.cachelinesize_compat',
  'hw.cpufamily',
  'hw.cpufrequency',
  'hw.cputype',
  'hw.logicalcpu',
  'hw.logicalcpu_max',
  'hw.machine',
  'hw.memsize',
  'hw.model',
  'hw.ncpu',
  'hw.nperflevels',
  'hw.pagesize',
  'hw.pagesize_compat',
  'hw.physicalcpu',
  'hw.physicalcpu_max',
  'kern.argmax',
  'kern.bootargs',
  'kern.maxfilesperproc',
  'kern.osproductversion',
  'kern.osrelease',
  'kern.ostype',
  'kern.osvariant_status',
  'kern.osversion',
  'kern.secure_kernel',
  'kern.tcsm_available',
  'kern.tcsm_enable',
  'kern.usrstack64',
  'kern.version',
  'machdep.ptrauth_enabled',
  'security.mac.lockdown_mode_state',
  'sysctl.proc_cputype',
]

// hw.optional.arm without the dot at its end: hw.optional.armv8_crc32 is one of them.
const readPrefixes = ['hw.optional.arm', 'hw.perflevel', 'machdep.cpu.']

/**
 * What every guest may ask of the kernel. Of the system's services it can ask none: each is a program of somebody else's rights
 * that takes what a guest sends. The log and the user database, which shipping profiles open, Node does without.
 */
export const kernel: readonly Rule[] = [
  allow('The guest may look at itself.', ['codex', 'ladybird'], ['process-info*'], [['target', 'self']]),
  allow('The guest may signal itself: abort(), process.kill(process.pid).', ['chromium-common'], ['signal'], [['target', 'self']]),
  allow(
    'Processors, memory and the version of the system.',
    ['chromium-common', 'chromium-renderer', 'srt', 'codex'],
    ['sysctl-read'],
    [...readNames.map((name) => ['sysctl-name', quoted(name)]), ...readPrefixes.map((name) => ['sysctl-name-prefix', quoted(name)])],
  ),
  allow(
    'V8 asks for the number of threads it may use by writing to this name.',
    ['chromium-renderer', 'srt'],
    ['sysctl-write'],
    [['sysctl-name', quoted('kern.tcsm_enable')]],
  ),
]
