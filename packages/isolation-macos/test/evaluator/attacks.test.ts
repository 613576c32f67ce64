import { type Attack, attacks } from '@confine-sandbox/conformance'
import { describe, expect, test } from 'vitest'
import { decide } from '../../src/evaluator/decide.ts'
import { readProfile } from '../../src/evaluator/read-profile.ts'
import { profile } from '../../src/profile/profile.ts'
import { plain } from '../profile/inputs.ts'
import { attackActs, inItsPlace } from './attack-acts.ts'

const { text, parameters } = profile(plain)
const rules = readProfile(text, parameters)

describe('the default profile', () => {
  test.each(attacks)('knows of the attack $id', ({ id }: Attack) => {
    const acts = attackActs[id]
    expect(acts, 'no act and no reason').toBeDefined()
    if (typeof acts === 'string') return
    expect(acts?.map((act) => decide(rules, act).action)).toEqual(acts?.map(() => 'deny'))
  })

  test('and of none that there is not', () => {
    const ids: readonly string[] = attacks.map(({ id }: Attack) => id)
    expect(Object.keys(attackActs).filter((id) => !ids.includes(id))).toEqual([])
  })

  test('lets node become node, as sandbox-exec does, and no child of it', () => {
    expect(decide(rules, inItsPlace).action).toBe('allow')
    expect(decide(rules, { operation: 'process-fork' })).toMatchObject({ action: 'deny', signal: 'SIGSYS' })
  })
})
