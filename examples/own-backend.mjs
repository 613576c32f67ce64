// A backend of one's own: it puts another one's walls up and adds a word to the log. What it cannot hold it must refuse.
import { defaultIsolation, Sandbox } from 'confine-sandbox'

function logged(inner, log) {
  return {
    ...inner,
    name: `logged-${inner.name}`,
    assess: (policy) => inner.assess(policy),
    confine(command, policy) {
      const confined = inner.confine(command, policy)
      log(`wraps node with ${policy.limits.memoryMiB} MiB, ${policy.read.length} paths to read`)
      return confined
    },
  }
}

await using sbx = new Sandbox({
  runtime: 'jseval-confine-runtime',
  isolation: logged(defaultIsolation(), (text) => console.log('backend:', text)),
  limits: { memoryMiB: 64 },
})
const container = await sbx.execContainer({ source: 'exports.answer = () => 42' })
console.log(await container.call('answer'), sbx.isolation.backend.startsWith('logged-'), sbx.isolation.isLocked)
