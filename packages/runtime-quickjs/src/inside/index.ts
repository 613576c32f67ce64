import { codec } from './codec.ts'
import { programConsole } from './console.ts'
import { exported } from './exported.ts'
import { modules } from './modules.ts'
import { prelude } from './prelude.ts'
import { thrownReader } from './thrown.ts'
import { timers } from './timers.ts'

/** The name of the prelude in stacks. Its frames say nothing to the author of a program. */
export const preludePath = 'confine:prelude'

/** A function that prepares an engine. The functions of this directory cross as their own text: each is complete in itself. */
export const preludeSource = `'use strict';
(function (done, call, log, find, compile, startTimer, stopTimer, failed, options) {
  return (${prelude})({ done, call, log, find, compile, startTimer, stopTimer, failed }, options, {
    codec: (${codec})(),
    exported: (${exported})(),
    readThrown: (${thrownReader})(),
    modules: (${modules}),
    timers: (${timers}),
    programConsole: (${programConsole}),
  })
})`
