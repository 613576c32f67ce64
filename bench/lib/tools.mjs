import { spawnSync } from 'node:child_process'

/** Programs that peers need, and the packages of Debian that have them. */
const tools = { bwrap: 'bubblewrap', socat: 'socat', rg: 'ripgrep' }

/** Installs what is missing where that is possible; what stays missing is named with the peer that needs it. */
export function installMissingTools() {
  const packages = Object.entries(tools).flatMap(([program, name]) => (isThere(program) ? [] : [name]))
  if (packages.length === 0 || !isThere('apt-get')) return
  const sudo = process.getuid() === 0 ? [] : ['sudo', '-n']
  const run = (...args) => {
    const [file, ...rest] = [...sudo, 'apt-get', ...args]
    return spawnSync(file, rest, { stdio: 'ignore' }).status === 0
  }
  if (run('update', '-qq') && run('install', '-y', '-qq', '--no-install-recommends', ...packages)) return
  console.log(`Cannot install ${packages.join(', ')}; the peers that need them will be missing.`)
}

function isThere(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}
