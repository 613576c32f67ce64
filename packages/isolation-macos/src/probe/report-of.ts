import type { StartEnd } from '@confine-sandbox/contract'
import { whyNot } from '../missing-layers.ts'
import type { MacosObservations } from './observe.ts'
import { type MacosFinding, type MacosFindingId, macosFindingIds, type MacosProbeReport, type MacosSurrounding } from './report.ts'

/** Says what observations mean. A pure function: the same report on every machine. */
export function macosReportOf(seen: MacosObservations, durationMs = 0): MacosProbeReport {
  const found = seen.platform === 'darwin' ? findingsOf(seen) : elsewhere(seen)
  const findings = [...found].sort((a, b) => macosFindingIds.indexOf(a.id) - macosFindingIds.indexOf(b.id))
  const lacking = findings.filter(({ id, status }) => needed.has(id) && status !== 'works')
  const blockers = lacking.filter(({ cause }) => cause !== 'follows')
  const [first] = blockers
  return {
    platform: seen.platform,
    architecture: seen.architecture,
    kernel: seen.release,
    libc: { name: 'unknown' },
    uid: seen.uid,
    surroundings: surroundingsOf(seen),
    landlockAbi: 0,
    findings,
    tier: lacking.length === 0 ? 'seatbelt' : 'none',
    reason:
      lacking.length === 0
        ? 'Node starts under Seatbelt, which is the one wall that macOS has for each part of a policy.'
        : `No guest can be held. Missing first: ${first?.what}: ${first?.detail}`,
    blockers: blockers.map(({ id }) => id),
    durationMs,
  }
}

/** Without these no guest starts. */
const needed: ReadonlySet<MacosFindingId> = new Set(['platform', 'sandbox-exec', 'shell', 'ps', 'empty-directory', 'seatbelt'])

function findingsOf(seen: MacosObservations): readonly MacosFinding[] {
  const { sandboxExec, shell, env, ps } = seen.programs
  return [
    { id: 'platform', what: 'macOS', status: 'works', detail: `Darwin ${seen.release}, ${seen.architecture}.` },
    program('sandbox-exec', 'the program that applies a Seatbelt profile', sandboxExec),
    program('shell', 'the programs that limit a guest', shell.isThere ? env : shell),
    program('ps', 'the program that looks at a guest', ps),
    emptyDirectory(seen.emptyDirectory),
    trial('seatbelt', 'node under the profile', seen.plain, 'No guest can be held.'),
    trial('seatbelt-hardened', 'node under the hardened profile', seen.hardened, 'policy.hardened cannot be had.'),
    processLimit(seen),
    log(seen),
  ]
}

function elsewhere({ platform }: MacosObservations): readonly MacosFinding[] {
  return macosFindingIds.map((id) =>
    id === 'platform'
      ? {
          id,
          what: 'macOS',
          status: 'missing',
          detail: `This is ${platform}.`,
          cause: 'platform',
          remedy: 'Use the backend of this platform.',
        }
      : { id, what: id, status: 'unknown', detail: 'It is macOS only.', cause: 'follows' },
  )
}

const isBlocked = 'It is part of macOS; ask whoever manages this machine why it is blocked.'

function program(id: MacosFindingId, what: string, { file, isThere }: { readonly file: string; readonly isThere: boolean }): MacosFinding {
  if (isThere) return { id, what, status: 'works', detail: `${file} is there.` }
  const detail = `There is no ${file} that this user may run.`
  return { id, what, status: 'missing', detail, cause: 'not-installed', consequence: 'No guest can be held.', remedy: isBlocked }
}

function emptyDirectory({ path, isEmpty }: MacosObservations['emptyDirectory']): MacosFinding {
  const about = { id: 'empty-directory', what: 'the directory in which guests stand' } as const
  if (isEmpty) return { ...about, status: 'works', detail: `${path} is empty.` }
  return {
    ...about,
    status: 'missing',
    detail: `${path} is not an empty directory.`,
    cause: 'not-installed',
    consequence: 'No guest can be held.',
    remedy: 'Empty it, or name another one that stays empty: macos({ emptyDirectory }).',
  }
}

function trial(id: MacosFindingId, what: string, end: StartEnd | undefined, consequence: string): MacosFinding {
  if (end === undefined) return { id, what, status: 'unknown', detail: 'It was not tried.', cause: 'follows', consequence }
  if (end.exitCode === 0) return { id, what, status: 'works', detail: 'It started and ended.' }
  const { reason, remedy } = whyNot(end)
  const detail = reason.charAt(0).toUpperCase() + reason.slice(1)
  return { id, what, status: 'missing', detail, cause: isNested(end) ? 'sandbox' : 'unknown', consequence, remedy }
}

function isNested({ stderr }: StartEnd): boolean {
  return /^sandbox-exec: sandbox_apply: Operation not permitted/m.test(stderr)
}

function processLimit({ uid }: MacosObservations): MacosFinding {
  const about = { id: 'process-limit', what: 'a limit of processes, beside Seatbelt' } as const
  if (uid !== 0) return { ...about, status: 'works', detail: 'The kernel counts the processes of this user.' }
  return {
    ...about,
    status: 'missing',
    detail: 'The kernel counts no processes of root.',
    cause: 'root',
    consequence: 'Seatbelt alone keeps a guest from starting processes; and whatever gets past Seatbelt is root.',
    remedy: 'Do not run the host as root.',
  }
}

/** Administrators are in group 80. log(1) */
const administrators = 80

function log({ uid, groups, programs }: MacosObservations): MacosFinding {
  const about = { id: 'log', what: 'the unified log, for macos({ violations: true })' } as const
  const consequence = 'Which act a guest was ended for is not told.'
  if (!programs.log.isThere) {
    return {
      ...about,
      status: 'missing',
      detail: `There is no ${programs.log.file} that this user may run.`,
      cause: 'not-installed',
      consequence,
    }
  }
  if (uid === 0 || groups.includes(administrators)) {
    return { ...about, status: 'unknown', detail: 'This user is an administrator, who may read it. It was not read.', cause: 'unknown' }
  }
  return {
    ...about,
    status: 'missing',
    detail: 'This user is no administrator, and only they may read it.',
    cause: 'privileges',
    consequence,
    remedy: 'Run the host as an administrator while you look into something.',
  }
}

function surroundingsOf({ plain, isApp, architecture, processor }: MacosObservations): readonly MacosSurrounding[] {
  const sandbox = isApp
    ? 'the environment variable APP_SANDBOX_CONTAINER_ID'
    : plain !== undefined && isNested(plain)
      ? 'sandbox-exec'
      : undefined
  return [
    ...(sandbox === undefined ? [] : [{ kind: 'sandbox', seenIn: sandbox } as const]),
    ...(architecture === 'x64' && processor.startsWith('Apple') ? [{ kind: 'rosetta', seenIn: 'the name of the processor' } as const] : []),
  ]
}
