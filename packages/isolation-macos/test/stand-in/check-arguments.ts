import { decide } from '../../src/evaluator/decide.ts'
import { type ReadRule, readProfile } from '../../src/evaluator/read-profile.ts'

/** What the stand-in says about a command line: the exit code of sandbox-exec(1) and its message, or the rules when all is well. */
export type Verdict = { readonly rules: readonly ReadRule[] } | { readonly exitCode: number; readonly message: string }

/** Checks a command line as the backend writes it: `-p PROFILE`, `-D NAME=VALUE`…, `--`, an absolute path, arguments. */
export function checkArguments(args: readonly string[]): Verdict {
  const [option, text, ...rest] = args
  if (option !== '-p' || text === undefined) return usage('-p and a profile must come first')
  const end = rest.indexOf('--')
  if (end < 0) return usage('-- must stand before the command')

  const parameters: Record<string, string> = {}
  for (let index = 0; index < end; index += 2) {
    const [, name, value] = /^([A-Z0-9_]+)=(.*)$/s.exec(rest[index + 1]!) ?? []
    if (rest[index] !== '-D' || name === undefined || value === undefined)
      return usage(`${rest[index]} ${rest[index + 1]} is no definition`)
    if (Object.hasOwn(parameters, name)) return usage(`${name} is defined twice`)
    parameters[name] = value
  }
  const unused = Object.keys(parameters).find((name) => !text.includes(`(param "${name}")`))
  if (unused !== undefined) return usage(`${unused} is defined and not used`)

  let rules: readonly ReadRule[]
  try {
    rules = readProfile(text, parameters)
  } catch (error) {
    return { exitCode: 65, message: (error as Error).message }
  }
  const file = rest[end + 1]
  if (file === undefined) return usage('no command')
  const { action } = decide(rules, { operation: 'process-exec', path: file })
  if (action === 'deny') return { exitCode: 71, message: `execvp() of '${file}' failed: Operation not permitted` }
  return { rules }
}

function usage(what: string): Verdict {
  return { exitCode: 64, message: `${what}\nUsage: sandbox-exec [options] command [args]` }
}

if (import.meta.main) {
  const verdict = checkArguments(process.argv.slice(2))
  if ('message' in verdict) {
    console.error(`sandbox-exec: ${verdict.message}`)
    process.exitCode = verdict.exitCode
  }
}
