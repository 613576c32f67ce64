/**
 * What this project promises: each a ratio against a reference measured in the same run. One entry for each promise; an
 * entry with several parts is kept when all of them are.
 */
const targets = Object.freeze([
  {
    id: 'cold-start-jseval',
    what: 'cold start, confined: new Sandbox → first result (jseval)',
    reference: 'child_process.fork → first message, not isolated',
    parts: [{ id: 'cold-start-jseval', what: 'jseval', atMost: 1, stretch: 0.8 }],
  },
  {
    id: 'cold-start-jsisolate',
    what: 'cold start, confined: new Sandbox → first result (jsisolate)',
    reference: 'child_process.fork → first message, not isolated',
    parts: [{ id: 'cold-start-jsisolate', what: 'jsisolate', atMost: 1.25, stretch: 1 }],
  },
  {
    id: 'warm-claim',
    what: 'claim from a warm pool → first result of fresh code',
    reference: 'child_process.fork → first message, not isolated',
    parts: [{ id: 'warm-claim', what: 'jseval', atMost: 0.05, stretch: 0.025 }],
  },
  {
    id: 'new-container',
    what: 'new container in a live guest → first result',
    reference: 'bare vm.createContext; bare ivm.Isolate with a context',
    parts: [
      { id: 'new-container-jseval', what: 'jseval', atMost: 4, stretch: 2 },
      { id: 'new-container-jsisolate', what: 'jsisolate', atMost: 1.5, stretch: 1.2 },
    ],
  },
  {
    id: 'round-trip',
    what: 'round trip host → guest → host',
    reference: 'fork IPC (json), pinned the same way',
    parts: [
      { id: 'round-trip-same', what: 'one core for both', atMost: 1, stretch: 0.75 },
      { id: 'round-trip-apart', what: 'one core each', atMost: 1, stretch: 0.75 },
    ],
  },
  {
    id: 'fast-path',
    what: 'round trip, one core each, with the opt-in fast path',
    reference: 'fork IPC (json), pinned the same way',
    parts: [{ id: 'fast-path', what: 'one core each', atMost: 0.15, stretch: 0.03 }],
  },
  {
    id: 'reverse-call',
    what: 'call from the guest to a global of the host and back',
    reference: 'fork IPC (json), pinned the same way',
    parts: [
      { id: 'reverse-call-same', what: 'one core for both', atMost: 1.1, stretch: 0.8 },
      { id: 'reverse-call-apart', what: 'one core each', atMost: 1.1, stretch: 0.8 },
    ],
  },
  {
    id: 'pipelined',
    what: 'calls per second, 256 in flight',
    reference: 'fork IPC (json), pinned the same way',
    parts: [
      { id: 'pipelined-same', what: 'one core for both', atLeast: 3, stretch: 4.5 },
      { id: 'pipelined-apart', what: 'one core each', atLeast: 3, stretch: 4.5 },
    ],
  },
  {
    id: 'transfer',
    what: 'a Uint8Array one way, MB/s',
    reference: 'bare sockets with preallocated reads into the final buffer',
    parts: [
      { id: 'transfer-1', what: '1 MiB', atLeast: 0.5, stretch: 0.9 },
      { id: 'transfer-16', what: '16 MiB', atLeast: 0.5, stretch: 0.9 },
    ],
  },
  {
    id: 'memory',
    what: 'private memory of an idle guest, of 20',
    reference: 'bare node -e with an idle socket',
    parts: [{ id: 'memory', what: 'all processes of a sandbox', atMost: 1.15, stretch: 1 }],
  },
  {
    id: 'hundred',
    what: '100 sandboxes at once, time for each',
    reference: '100 forks at once',
    parts: [{ id: 'hundred', what: 'jseval', atMost: 1, stretch: 0.7 }],
  },
  {
    id: 'isolation-cost',
    what: 'a call, confined against noSandbox',
    reference: 'the same with noSandbox: true',
    parts: [{ id: 'isolation-cost', what: 'one core for both', atMost: 1.05, stretch: 1.02 }],
  },
  {
    id: 'blocked-launch',
    what: 'event loop blocked by a launch, in a host of 1 GB',
    reference: 'plain spawn of node',
    parts: [{ id: 'blocked-launch', what: 'longest pause', atMost: 1, stretch: 0.05 }],
  },
])

/**
 * Judges the promises by what was measured.
 * @param {Readonly<Record<string, number>>} ratios by part.
 */
export function judge(ratios) {
  return targets.map(({ id, what, reference, parts }) => {
    const judged = parts.map((part) => judgePart(part, ratios[part.id]))
    const worst = judged.reduce((a, b) => (badness(b) > badness(a) ? b : a))
    return {
      id,
      what,
      reference,
      ratio: worst.ratio,
      target: worst.target,
      stretch: worst.stretch,
      met: judged.every(({ met }) => met),
      ...(judged.length > 1 ? { parts: judged } : {}),
    }
  })
}

function judgePart({ id, what, atMost, atLeast, stretch }, ratio = null) {
  const isWithin = (limit) => ratio !== null && (atMost === undefined ? ratio >= limit : ratio <= limit)
  const target = atMost ?? atLeast
  const sign = atMost === undefined ? '≥' : '≤'
  return { id, what, ratio, target, stretch, sign, met: isWithin(target), metStretch: isWithin(stretch) }
}

/** How far above its target; what was not measured is worst. */
function badness({ ratio, target, sign }) {
  if (ratio === null) return Number.POSITIVE_INFINITY
  return sign === '≤' ? ratio / target : target / ratio
}
