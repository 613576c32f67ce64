// The first lines of the guest process. The host knows what the program's text means to V8, and this process need not find it
// out again: it takes that from the channel, which nobody else uses yet, and runs the program (program.ts).
import { join } from 'node:path'
import { readCode } from './read-code.ts'
import type { GuestSettings } from './protocol.ts'
import { runText } from './script.ts'

const settings = JSON.parse(process.argv[2] as string) as GuestSettings
const code = settings.hasCode === true ? readCode(3) : {}
const path = join(__dirname, 'program.cjs')
const { runtime, own } = code
// It is asked for when the program has run.
const learned = () => script.createCachedData()
const script = runText({ path, kind: 'program' }, code.program, require, settings, { runtime, own, learned })
