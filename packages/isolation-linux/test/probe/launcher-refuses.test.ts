import { expect, test } from 'vitest'
import { environment, program, run, users } from '../support/launch.ts'

/** Says its process id: the guest's first word, if it gets to say one. */
const guest = { file: program('calls'), args: ['-', '0', '39'], env: environment }
const without = program('without')

const refusals = [
  { primitive: 'seccomp', stage: 'seccomp', remedy: /Linux 5\.5 or newer/ },
  { primitive: 'seccomp-notify', stage: 'seccomp', remedy: /not under gVisor/ },
] as const

for (const as of users) {
  test(`as ${as}: with everything, and without what is not needed, the program runs`, async () => {
    for (const primitive of ['wait-killable', 'landlock', 'landlock-by-profile', 'ptrace', 'new-mount-api', 'mount-setattr']) {
      const end = await run(guest, { as, under: [without, primitive, '--'] })
      expect(end.stdout, primitive).toMatch(/^39 \d+\n$/)
      expect(end.events[0], primitive).toMatchObject({ type: 'ready' })
    }
  })

  test.each(refusals)(
    `as ${as}: without $primitive the launch fails, says why, and nothing has run`,
    async ({ primitive, stage, remedy }) => {
      const end = await run(guest, { as, under: [without, primitive, '--'] })
      expect(end.events).toEqual([{ type: 'setup-failed', stage, reason: expect.stringMatching(remedy) as string }])
      expect(end.code).toBe(125)
      expect(end.stdout).toBe('')
    },
  )
}
