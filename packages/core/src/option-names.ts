import { ConfineError } from '@confine-sandbox/contract'
import { limitNames } from './limits.ts'
import { nearestName } from './nearest-name.ts'
import type { CoreSandboxOptions } from './options.ts'
import { policyNames } from './policy.ts'
import { show } from './show.ts'

/**
 * Refuses options that nobody reads: a misspelt `limits` would leave a guest without them. Subclasses of Sandbox, which may have
 * options of their own, are not asked.
 * @param further Names that are known beside those of a Sandbox.
 * @throws ERR_CONFINE_BAD_OPTION
 */
export function checkOptionNames(options: object, further: readonly string[] = []): void {
  const names = [...optionNames, ...further]
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !names.includes(name))
  if (unknown === undefined) return
  const [name] = unknown
  throw new ConfineError('ERR_CONFINE_BAD_OPTION', `There is no option ${show(name)}${remedy(name, names)}`)
}

function remedy(name: string, names: readonly string[]): string {
  const group = (limitNames as readonly string[]).includes(name) ? 'limits' : policyNames.includes(name) ? 'policy' : undefined
  if (group !== undefined) return `: it is one of ${group}, so write ${group}: { ${name} }`
  const near = nearestName(name, names)
  if (near !== undefined) return `; did you mean ${near}?`
  const limit = nearestName(name, limitNames)
  return limit === undefined ? `; there are ${names.join(', ')}` : `; did you mean limits: { ${limit} }?`
}

/** Every option of a Sandbox. */
const optionNames = Object.keys({
  runtime: true,
  globals: true,
  limits: true,
  policy: true,
  onViolation: true,
  minIsolation: true,
  isolation: true,
  maxContainers: true,
  startTimeoutMs: true,
  loadTimeoutMs: true,
  timeoutMs: true,
  idleTimeoutMs: true,
  strace: true,
  logSpawn: true,
  noSandbox: true,
  pipeStdout: true,
  pipeStderr: true,
  standby: true,
  transport: true,
  spawner: true,
} satisfies Record<keyof CoreSandboxOptions, true>)
