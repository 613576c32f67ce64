import type { Attack } from '../attack.ts'

export const processAttacks: readonly Attack[] = [
  {
    id: 'spawn',
    act: 'start a program',
    part: 'processes',
    source: `exports.attempt = () => new Promise((resolve, reject) => {
      const child = require('node:child_process').spawn('echo', ['started'])
      child.on('error', reject)
      child.stdout.on('data', (chunk) => resolve(String(chunk)))
    })`,
  },
  {
    id: 'spawn-node',
    act: 'start another Node',
    part: 'processes',
    source: `exports.attempt = () => require('node:child_process').execFileSync(process.execPath, ['-p', '6 * 7'], { encoding: 'utf8' })`,
  },
  {
    id: 'fork',
    act: 'fork a Node with a channel',
    part: 'processes',
    source: `exports.attempt = ({ directory }) => new Promise((resolve, reject) => {
      const child = require('node:child_process').fork('-', { execArgv: ['-e', 'process.send(42)'] })
      child.on('error', reject)
      child.on('message', resolve)
    })`,
  },
  {
    id: 'signal-process',
    act: 'send a signal to a process of the host',
    part: 'processes',
    source: `exports.attempt = ({ pid }) => String(process.kill(pid, 'SIGCONT'))`,
  },
  {
    id: 'signal-parent',
    act: 'send a signal to its parent',
    part: 'processes',
    source: `exports.attempt = () => String(process.kill(process.ppid, 'SIGCONT'))`,
  },
  {
    id: 'open-inspector-of-process',
    act: 'open the inspector of a process of the host',
    part: 'processes',
    source: `exports.attempt = ({ pid }) => { process.kill(pid, 'SIGUSR1'); return 'asked' }`,
  },
]
