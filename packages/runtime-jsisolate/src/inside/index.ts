import { guestConsole } from './console.ts'
import { exported } from './exported.ts'
import { formatter } from './format.ts'
import { hostCalls } from './host-calls.ts'
import { dynamicImports } from './imports.ts'
import { modules } from './modules.ts'
import { isolatePrelude, outsideNames } from './prelude.ts'
import { packer } from './pack.ts'
import { processMembers } from './node/process.ts'
import { nodeTimers } from './node/timeouts.ts'
import { insideReferences } from './references.ts'
import { sharedMemory } from './shared-memory.ts'
import { stacks } from './stacks.ts'
import { thrownReader } from './thrown.ts'
import { timers } from './timers.ts'
import { webGlobals } from './web-globals.ts'
import { unpacker } from './unpack.ts'

/**
 * A function that prepares an isolate: given the outside, piece by piece, it returns the prelude's `begin`. The functions of this directory cross as their own text, so each of them is complete in itself.
 */
export const preludeSource = `'use strict';
(function (${outsideNames.join(', ')}) {
  return (${isolatePrelude})({ ${outsideNames.join(', ')} }, {
    guestConsole: ${guestConsole},
    exported: ${exported},
    formatter: ${formatter},
    sharedMemory: ${sharedMemory},
    stacks: ${stacks},
    hostCalls: ${hostCalls},
    dynamicImports: ${dynamicImports},
    modules: ${modules},
    insideReferences: ${insideReferences},
    packer: ${packer},
    processMembers: ${processMembers},
    nodeTimers: ${nodeTimers},
    thrownReader: ${thrownReader},
    timers: ${timers},
    webGlobals: ${webGlobals},
    unpacker: ${unpacker},
  })
})`
