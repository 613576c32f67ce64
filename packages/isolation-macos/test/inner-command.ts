import type { ConfinedCommand } from '@confine-sandbox/contract'

/** The words that launch.sh executes from sandbox-exec on: its path, then its arguments. */
export function innerCommand({ args }: Pick<ConfinedCommand, 'args'>, sandboxExec = '/usr/bin/sandbox-exec') {
  const start = args.indexOf(sandboxExec)
  return { outer: args.slice(0, start), file: args[start] as string, args: args.slice(start + 1) }
}
