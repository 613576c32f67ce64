// A directory to read, one to write, an empty /tmp: and nothing else of the disk.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sandbox } from 'confine-sandbox'

const directory = mkdtempSync(join(tmpdir(), 'example-'))
const [input, output] = ['input', 'output'].map((name) => join(directory, name))
for (const path of [input, output]) mkdirSync(path)
writeFileSync(join(input, 'names.txt'), 'ada\nben\n')

const source = `
  const fs = require('node:fs'), path = require('node:path')
  exports.convert = (input, output) => {
    fs.writeFileSync('/tmp/work', fs.readFileSync(path.join(input, 'names.txt'), 'utf8').toUpperCase())
    fs.copyFileSync('/tmp/work', path.join(output, 'NAMES.TXT'))
    const attempts = [() => fs.writeFileSync(path.join(input, 'x'), ''), () => fs.readFileSync('/etc/passwd'), () => fs.readdirSync('/root')]
    return attempts.map((attempt) => { try { attempt(); return 'worked' } catch ({ code }) { return code } })
  }`

try {
  await using sbx = new Sandbox({
    runtime: 'jseval-confine-runtime',
    policy: { read: [input], write: [output], scratchMiB: 8 },
    limits: { fileSizeMiB: 1 },
  })
  const program = await sbx.execContainer({ source })
  console.log(await program.call('convert', [input, output]))
  console.log(readFileSync(join(output, 'NAMES.TXT'), 'utf8').trim().split('\n'))
} finally {
  rmSync(directory, { recursive: true })
}
