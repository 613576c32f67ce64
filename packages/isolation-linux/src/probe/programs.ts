import type { Facts } from './facts.ts'
import type { ProgramRun } from './observations.ts'
import { reinstall } from './remedies.ts'
import type { Finding } from './report.ts'

/** The platform, and what must be there before anything can be tried. */
export function ground(facts: Facts): readonly Finding[] {
  return [platform(facts), launcher(facts), probeProgram(facts), proc(facts)]
}

/** The strace program. */
export function strace(facts: Facts): Finding {
  const run = facts.observations.strace
  const about = { id: 'strace', what: 'the strace program' } as const
  if (run.exitCode === 0) return { ...about, status: 'works', detail: `${run.file} runs.` }
  const consequence = 'strace: true can do no more than the supervisor itself can show.'
  if (run.file === '')
    return {
      ...about,
      status: 'missing',
      detail: 'It is not in PATH.',
      cause: 'not-installed',
      consequence,
      remedy: "Install the package 'strace'.",
    }
  return {
    ...about,
    status: 'unknown',
    detail: `${run.file}: ${endOf(run)}.`,
    cause: 'unknown',
    consequence,
    remedy: "Install the package 'strace' again.",
  }
}

function platform({ observations: { platform: name, architecture } }: Facts): Finding {
  const about = { id: 'platform', what: 'Linux on x64 or arm64' } as const
  if (name !== 'linux')
    return {
      ...about,
      status: 'missing',
      detail: `This backend confines on Linux only, and this is ${name}.`,
      cause: 'platform',
      consequence: 'No guest can be started by this backend.',
      remedy: 'Use the backend of your platform, or run on Linux.',
    }
  if (architecture !== 'x64' && architecture !== 'arm64')
    return {
      ...about,
      status: 'missing',
      detail: `System calls are known for x64 and arm64, and this node is built for ${architecture}.`,
      cause: 'platform',
      consequence: 'No guest can be started by this backend.',
      remedy: 'Run a node that is built for one of them.',
    }
  return { ...about, status: 'works', detail: `${name} on ${architecture}.` }
}

/** Without its socket it says so and ends with 125, native/main.c. */
function launcher({ observations: { launcher: run } }: Facts): Finding {
  return program({ id: 'launcher', what: 'the launcher' }, run, run.exitCode === 125, 'No guest can be started.')
}

function probeProgram({ observations: { program: run } }: Facts): Finding {
  const consequence = 'What the kernel gives could not be tried: all of it is unknown.'
  return program({ id: 'probe-program', what: 'the program that tries the primitives' }, run, run.exitCode === 0, consequence)
}

function program(about: Pick<Finding, 'id' | 'what'>, run: ProgramRun, isGood: boolean, consequence: string): Finding {
  if (isGood) return { ...about, status: 'works', detail: `${run.file} runs.` }
  const detail = `${run.file}: ${endOf(run)}.`
  if (run.error !== undefined) return { ...about, status: 'missing', detail, cause: 'not-installed', consequence, remedy: reinstall }
  return { ...about, status: 'unknown', detail, cause: 'unknown', consequence, remedy: reinstall }
}

function endOf({ error, exitCode, signal, message }: ProgramRun): string {
  const words = message === undefined || message === '' ? '' : ` and says: ${message}`
  if (error !== undefined) return `it cannot be started, ${error}`
  if (signal !== undefined) return `it was ended by ${signal}${words}`
  return exitCode === undefined ? 'it was not started' : `it ended with ${exitCode}${words}`
}

function proc({ observations: { files } }: Facts): Finding {
  const about = { id: 'proc', what: '/proc' } as const
  if (files['/proc/self/status'] !== undefined) return { ...about, status: 'works', detail: 'It is mounted.' }
  return {
    ...about,
    status: 'missing',
    detail: '/proc/self/status cannot be read.',
    cause: 'not-installed',
    consequence:
      'No guest can be started in a user namespace, for its identity is written there, nor with a limit of memory, which is watched there.',
    remedy: "Mount it: 'mount -t proc proc /proc' as root.",
  }
}
