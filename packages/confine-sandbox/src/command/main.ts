#!/usr/bin/env node
// Imported only once this Node is known to be new enough: an older one stops at the first import, with a puzzle.
const oldestNode = 24

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  process.stderr.write(
    `confine: it needs Node ${oldestNode} or later, and this is ${process.versions.node}. Install it from https://nodejs.org\n`,
  )
  process.exitCode = 125
} else {
  const { runCommandLine } = await import('./command-line.ts')

  // Whoever read what is written may have gone (`| head`): that is their word that it was enough.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

  process.exitCode = await runCommandLine(process.argv.slice(2), { out: process.stdout, err: process.stderr })
}

export {}
