#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

// Whoever read what is written may have gone (`| head`): that is their word that it was enough.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.exitCode = await runCommandLine(process.argv.slice(2), { out: process.stdout, err: process.stderr })
