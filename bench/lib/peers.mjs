/**
 * Opens what can be opened; a peer that cannot is named with the reason, and left out.
 * @template Subject
 * @param {Record<string, () => Promise<Subject>>} openers
 */
export async function openPeers(openers) {
  const opened = {}
  const missing = []
  for (const [name, open] of Object.entries(openers)) {
    try {
      opened[name] = await withDeadline(open(), name)
    } catch (error) {
      missing.push({ peer: name, why: String(error.message).split('\n')[0] })
    }
  }
  return { opened, missing }
}

async function withDeadline(promise, name) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} was not there after 20 seconds`)), 20_000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
