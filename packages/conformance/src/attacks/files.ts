import type { Attack } from '../attack.ts'

export const fileAttacks: readonly Attack[] = [
  {
    id: 'read-file',
    act: 'read a file of the host',
    part: 'files',
    source: `exports.attempt = ({ file }) => require('node:fs').readFileSync(file, 'utf8')`,
  },
  {
    id: 'read-file-async',
    act: 'read a file of the host from a thread of the pool',
    part: 'files',
    source: `exports.attempt = ({ file }) => require('node:fs').promises.readFile(file, 'utf8')`,
  },
  {
    id: 'list-root',
    act: 'list the root directory',
    part: 'files',
    source: `exports.attempt = () => require('node:fs').readdirSync('/').join(' ')`,
  },
  {
    id: 'list-working-directory',
    act: 'list the working directory',
    part: 'files',
    source: `exports.attempt = () => require('node:fs').readdirSync(process.cwd()).join(' ')`,
  },
  {
    id: 'list-home',
    act: 'list the home directory',
    part: 'files',
    source: `exports.attempt = () => require('node:fs').readdirSync(require('node:os').homedir()).join(' ')`,
  },
  {
    id: 'stat-file',
    act: 'learn whether a file of the host exists',
    part: 'files',
    source: `exports.attempt = ({ file }) => String(require('node:fs').statSync(file).size)`,
  },
  {
    id: 'write-file',
    act: 'write a file of the host',
    part: 'files',
    source: `exports.attempt = ({ directory }) => { require('node:fs').writeFileSync(directory + '/planted', 'x'); return 'written' }`,
  },
  {
    id: 'link-file',
    act: 'make a symbolic link in a directory of the host',
    part: 'files',
    source: `exports.attempt = ({ directory, file }) => { require('node:fs').symlinkSync(file, directory + '/link-' + process.pid); return 'linked' }`,
  },
  {
    id: 'read-own-environment',
    act: 'read its environment through /proc',
    part: 'files',
    source: `exports.attempt = () => require('node:fs').readFileSync('/proc/self/environ', 'utf8')`,
  },
  {
    id: 'load-addon',
    act: 'load native code from a file',
    part: 'files',
    source: `exports.attempt = ({ file }) => {
      try { process.dlopen({ exports: {} }, file) } catch (error) {
        // The loader opened the file and found that it is no library.
        if (/file too short|invalid ELF header|mach-o/i.test(error.message)) return 'opened'
        throw error
      }
    }`,
  },
]
