import { readFileSync } from 'node:fs'
import { library } from '../../tsup.base.ts'

/** The packages that a new one depends on, as they are when this one is built. */
const folders = ['contract', 'conformance', 'confine-sandbox']
const ranges = folders.map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`../${folder}/package.json`, 'utf8')) as { name: string; version: string }
  return [name, `^${version}`]
})

export default library({
  entry: ['src/index.ts', 'src/command.ts'],
  define: { confineRanges: JSON.stringify(Object.fromEntries(ranges)) },
})
